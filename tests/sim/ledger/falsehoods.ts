/**
 * Copies of a log in which one thing is false: a field of a leaf is another, or a leaf is gone, said twice
 * or told before its time. Hashes and signatures are made anew, so that nothing but the meaning is wrong: a
 * field that somebody signed is changed twice, once by the coordinator alone and once with its author's help.
 */
import type { LogLeaf } from '#lib/ledger/leaf.ts';
import { fromBase64Url } from '#lib/protocol/bytes.ts';
import { decodeCanonical } from '#lib/protocol/canonical.ts';
import { envelopeHash, seal, type Envelope, type Identity, type Payload } from '#lib/protocol/envelope.ts';
import { VERDICT_REASONS } from '#lib/protocol/schema.ts';
import { kindOf, type Story } from './honest-log.ts';

export interface Falsehood {
  /** Index of the leaf that is false. */
  readonly at: number;
  /** `<kind>.<field>`, or `<kind> gone`, `twice`, `early`. */
  readonly what: string;
  /** Did whoever signed the leaf sign this too? */
  readonly signed: boolean;
  readonly leaves: readonly LogLeaf[];
}

type Fields = Record<string, unknown>;

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  verdict: ['pass', 'fail', 'unavailable', 'received', 'corrupt', 'missing'],
  reason: VERDICT_REASONS,
  state: ['done', 'cancelled', 'failed'],
  outcome: ['granted', 'denied'],
  kind: ['grant', 'escrow', 'settle', 'refund', 'forfeit', 'release', 'drill', 'restore'],
  rule: ['uniform', 'mcafee', 'posted'],
};
const OF_RECEIPTS = new Set(['received', 'corrupt', 'missing']);

export class Liar {
  readonly #story: Story;

  constructor(story: Story) {
    this.#story = story;
  }

  /** All lies about one leaf. */
  async about(at: number): Promise<Falsehood[]> {
    const leaf = this.#story.leaves[at]!;
    const lies: Falsehood[] = [];
    for (const [field, value] of Object.entries(leaf)) {
      if (field === 'type' || field === 'signed' || field === 'request') continue;
      for (const other of this.#others(leaf, field, value)) {
        const what = `${kindOf(leaf)}.${field}`;
        lies.push({ at, what, signed: false, leaves: this.#with(at, { ...leaf, [field]: other } as LogLeaf) });
        const again = await this.#signedAnew(leaf, field, other);
        if (again) lies.push({ at, what, signed: true, leaves: this.#with(at, again) });
      }
    }
    return [...lies, ...this.#moved(at)];
  }

  #with(at: number, leaf: LogLeaf): LogLeaf[] {
    return this.#story.leaves.with(at, leaf);
  }

  #moved(at: number): Falsehood[] {
    const { leaves } = this.#story;
    const kind = kindOf(leaves[at]!);
    return [
      { at, what: `${kind} gone`, signed: false, leaves: leaves.toSpliced(at, 1) },
      { at: at + 1, what: `${kind} twice`, signed: false, leaves: leaves.toSpliced(at, 0, leaves[at]!) },
    ];
  }

  /** Other values that a field could have. */
  #others(leaf: LogLeaf, field: string, value: unknown): unknown[] {
    if (field === 'postings') return otherPostings(value as [string, string][], this.#someone(leaf));
    if (field === 'adapterClass' || field === 'network') return [`${String(value)} too`];
    if (leaf.type === 'void' && field === 'reason')
      return ['worker-gone', 'check-light', 'drill', 'film-missing'].filter((one) => one !== value);
    if (typeof value === 'boolean') return [!value];
    if (typeof value === 'number') return value > 0 ? [value + 1, value - 1] : [value + 1];
    if (Array.isArray(value)) return [value.slice(0, -1), [...(value as unknown[]).slice(0, -1), another(value.at(-1))]];
    if (typeof value !== 'string') return [];
    if (field === 'job' || field === 'lease') return this.#siblings(field, value);
    if (/^[0-9a-f]{64}$/.test(value) && this.#story.parties.has(value)) return [this.#someone(leaf)];
    const choices = CHOICES[field];
    if (choices)
      return choices.filter((one) => one !== value && (field !== 'verdict' || OF_RECEIPTS.has(one) === (leaf.type === 'receipt')));
    return [another(value)];
  }

  /** A key that this leaf does not name. */
  #someone(leaf: LogLeaf): string {
    const text = JSON.stringify(leaf);
    return [...this.#story.parties.keys()].find((key) => !text.includes(key))!;
  }

  /** Another one that the log knows, the next if there is one. */
  #siblings(field: 'job' | 'lease', value: string): string[] {
    const all = [...new Set(this.#story.leaves.flatMap((leaf) => ((leaf as Fields)[field] ? [(leaf as Fields)[field] as string] : [])))];
    return [all[(all.indexOf(value) + 1) % all.length]!];
  }

  /** The leaf as its author would have signed it with this field; null where the field is not of what it signed. */
  async #signedAnew(leaf: LogLeaf, field: string, value: unknown): Promise<LogLeaf | null> {
    if (!('signed' in leaf) || !leaf.signed) return null;
    const { at, nonce, purpose, body } = payloadOf(leaf.signed);
    const signer = (leaf as Fields)[field] === leaf.signed.key ? this.#story.parties.get(value as string) : this.#author(leaf.signed);
    const changes = (body as Fields)[field] !== undefined;
    if (!signer || (!changes && signer.key === leaf.signed.key)) return null;
    const said = changes ? { ...(body as Fields), [field]: value } : body;
    const envelope = await seal(signer, { network: this.#story.network, purpose, body: said, atMs: at, nonce });
    return { ...leaf, [field]: value, signed: envelope, request: envelopeHash(envelope) } as LogLeaf;
  }

  #author({ key }: Envelope): Identity {
    return this.#story.parties.get(key)!;
  }
}

const payloadOf = ({ payload }: Envelope): Payload => decodeCanonical(fromBase64Url(payload)!) as Payload;

/** Another value of the same form. */
function another(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one, i) => (i === value.length - 1 ? another(one) : (one as unknown)));
  if (typeof value === 'number') return value + 1;
  const text = String(value);
  if (/^-?[0-9]{1,19}$/.test(text)) return String(BigInt(text) + 1n);
  const last = text.at(-1)!;
  const next = /[A-Za-z0-9_-]/.test(last) ? (last === '0' ? '1' : last === 'A' ? 'E' : /[0-9a-f]/.test(last) ? '0' : 'A') : 'x';
  return text.slice(0, -1) + next;
}

/** A micro-token more or less, to somebody else, twice as much, and not at all. */
function otherPostings(postings: readonly [string, string][], someone: string): [string, string][][] {
  const [[from, less], [to, more], ...rest] = postings as [[string, string], [string, string], ...[string, string][]];
  const plus = (micro: string, n: bigint): string => String(BigInt(micro) + n);
  return [
    [[from, plus(less, 1n)], [to, plus(more, -1n)], ...rest],
    [[from, plus(less, -1n)], [to, plus(more, 1n)], ...rest],
    [[from, less], [someone, more], ...rest],
    postings.map(([account, micro]) => [account, String(2n * BigInt(micro))]),
    [[from, less], [to, plus(more, -1n)], ...rest, [someone, '1']],
    [[from, less], [to, plus(more, 1n)], ...rest],
  ];
}
