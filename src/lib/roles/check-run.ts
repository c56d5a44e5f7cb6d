/**
 * One check, from assignment to finding: the scene, the drawn leaves opened at the worker, each
 * compared with a re-trace of the same paths, the lease's billed segments recounted, and what the
 * worker said its leaves can tell computed again. Where a pass must be shown (trust/retrace) all that is
 * drawn is traced and committed to before the worker is asked, and in vain where it can't be reached then. A worker that answers and refuses is at fault for
 * it; one that can't be reached, or has no time, is not.
 */
import { filmLight, filmSegments, FILM_BYTES_PER_PIXEL, SIGNATURE_BYTES_PER_PATH, type Film } from '../job/film.ts';
import { leafRects, passes, segmentsPerPathMax, tileRect, type Pass, type Rect } from '../job/plan.ts';
import { equalBytes, sha256, toHex, type Bytes } from '../protocol/bytes.ts';
import type { CheckVerdictBody } from '../protocol/bodies.ts';
import { CHECK_DEADLINE_MS, RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN } from '../protocol/limits.ts';
import type { PeerFault, PeerRequest } from '../protocol/peer.ts';
import { cutLeaf, cutLight, deliveredHashes, type LeafParts } from '../trust/commitment.ts';
import { rootOf } from '../ledger/merkle.ts';
import { compareLeaf } from '../trust/compare.ts';
import { challengedLeaves, drawSeed } from '../trust/draw.ts';
import { retraceHashes, retraceRoot, show, shownPlace, type Shown } from '../trust/retrace.ts';
import { leafClasses, packClasses, unpackClasses } from '../trust/weights.ts';
import { backoffMs } from '../p2p/backoff.ts';
import type { Shared } from './shared.ts';
import type { CheckerStatus, CheckRecord, ControlEvent, RoleContext } from './types.ts';

type Check = Extract<ControlEvent, { type: 'check' }>;
export type Retraced = Extract<ControlEvent, { type: 'retraced' }>;

export interface Finding extends Pick<
  CheckVerdictBody,
  'verdict' | 'reason' | 'paths' | 'pathsEqual' | 'pixelsWrong' | 'segments' | 'biasPpm'
> {
  readonly sample: CheckRecord['sample'];
  /** Of a pass that must be shown. */
  readonly shown?: Shown;
}

/** What was traced before the film was seen, and what the coordinator answered to it. */
interface Promised {
  readonly traced: readonly LeafParts[];
  readonly hashes: readonly Bytes[];
  readonly root: string;
  readonly beacon: string;
  readonly permit: string;
}

/** What the worker opened, already found to belong to the committed root. */
interface Opening {
  readonly light: Bytes;
  readonly leafHashes: readonly Bytes[];
  readonly signatures: readonly Bytes[];
}

export const NOTHING_SEEN = { paths: 0, pathsEqual: 0, pixelsWrong: 0, segments: 0, biasPpm: 0, sample: null } as const;
/** A refusal for want of time or room is none. */
const PATIENCE: ReadonlySet<PeerFault> = new Set(['busy', 'stopped']);
const OPEN_TRIES_MAX = 4;
const TRACE_TRIES_MAX = 3;

export class CheckRun {
  readonly #context: RoleContext;
  readonly #shared: Shared;
  readonly #check: Check;
  readonly #show: (state: CheckerStatus['state'], reason: string) => void;
  /** What the coordinator has answered to this check's promise already: by a run that was stopped, or before a reconnection. */
  readonly #retraced: () => Retraced | undefined;
  readonly #tile: Rect;
  readonly #leaves: readonly Rect[];
  readonly #drawn: readonly number[];
  /** What the worker said each leaf can tell. */
  readonly #classes: readonly number[] | null;
  readonly #pass: Pass | undefined;

  constructor(
    context: RoleContext,
    shared: Shared,
    check: Check,
    nonce: string,
    show: (state: CheckerStatus['state'], reason: string) => void,
    retraced: () => Retraced | undefined,
  ) {
    this.#context = context;
    this.#shared = shared;
    this.#check = check;
    this.#show = show;
    this.#retraced = retraced;
    this.#tile = tileRect(check.order, check.lease.tile);
    this.#leaves = leafRects(this.#tile);
    const seed = drawSeed({ beacon: check.beacon, nonce, lease: check.lease.lease, root: check.root });
    const classes = check.weights === null ? null : unpackClasses(check.weights, this.#leaves.length);
    this.#classes = classes;
    const terms = { leaves: this.#leaves.length, count: check.leaves, auditPpm: check.auditPpm, classes };
    this.#drawn = challengedLeaves(seed, terms);
    this.#pass = passes(check.order)[check.lease.pass];
  }

  /** @returns null when the signal aborts: somebody else will look. */
  async run(signal: AbortSignal): Promise<Finding | null> {
    const { order, lease, capability, sources } = this.#check;
    this.#show('fetching', `Fetching the scene of "${order.title}".`);
    const scene = await this.#shared.scenes.ensure(signal, { job: lease.job, order, capability, sources });
    if (signal.aborted) return null;
    if (!scene.ok || !this.#pass) return { ...NOTHING_SEEN, verdict: 'unavailable', reason: 'scene' };
    const { permit, traceFirst } = this.#check;
    const traced = traceFirst === 'always' || (traceFirst === 'whole' && this.#whole) ? await this.#traceAll(signal, this.#pass) : null;
    if (signal.aborted) return null;
    if (traced === 'untraceable') return { ...NOTHING_SEEN, verdict: 'unavailable', reason: 'scene' };
    const promised = traced && (await this.#promise(signal, traced));
    if (signal.aborted || (traced && !promised)) return null;
    this.#show('checking', `Asking for ${this.#drawn.length} drawn leaves of "${order.title}".`);
    const opened = await this.#open(signal, promised?.permit ?? permit);
    if (signal.aborted) return null;
    if (opened === 'unreachable') return { ...NOTHING_SEEN, verdict: 'unavailable', reason: 'unreachable' };
    if (opened === 'opening' || opened === 'refused') return { ...NOTHING_SEEN, verdict: 'fail', reason: opened };
    const finding = await this.#compare(signal, opened, this.#pass, promised?.traced ?? null);
    return finding?.verdict === 'pass' && promised ? { ...finding, shown: this.#shown(opened, promised) } : finding;
  }

  get #whole(): boolean {
    return this.#drawn.length === this.#leaves.length;
  }

  /** Says what was traced, and waits until it stands in the log. @returns null when the coordinator wants nothing of it any more. */
  async #promise(signal: AbortSignal, traced: readonly LeafParts[]): Promise<Promised | null> {
    const { control, clock } = this.#context;
    const { lease, nonceCommitment } = this.#check;
    const checker = this.#context.identity.key;
    const hashes = retraceHashes(
      { checker, nonceCommitment },
      traced.map(({ signatures }) => signatures),
    );
    const root = retraceRoot(hashes);
    const known = this.#retraced();
    if (known) return { traced, hashes, root, beacon: known.beacon, permit: known.permit };
    const over = new AbortController();
    const answer = new Promise<Retraced>((resolve) => {
      const off = control.on((event) => {
        if (event.type === 'retraced' && event.nonceCommitment === nonceCommitment) resolve(event);
      });
      over.signal.addEventListener('abort', off);
    });
    const refused = new Promise<null>((resolve) => {
      // Sent again until it is answered, also when nobody waits any more.
      void control.submit('check.retrace', { lease: lease.lease, nonceCommitment, root }).then(({ status }) => {
        if (status === 'refused') resolve(null);
      });
    });
    try {
      const late = clock.sleep(AbortSignal.any([signal, over.signal]), CHECK_DEADLINE_MS).then(() => null);
      const said = await Promise.race([answer, refused, late]);
      return said && { traced, hashes, root, beacon: said.beacon, permit: said.permit };
    } finally {
      over.abort();
    }
  }

  #shown({ light, leafHashes, signatures }: Opening, { traced, hashes, root, beacon }: Promised): Shown {
    const place = shownPlace(beacon, root, this.#drawn, this.#classes);
    const index = this.#drawn[place]!;
    const claimed = cutLight({ width: this.#tile.width, light }, this.#tile, this.#leaves[index]!);
    return show(
      { hashes, place, signatures: traced[place]!.signatures },
      { leafHashes, index, light: claimed, signatures: signatures[place]! },
    );
  }

  async #open(signal: AbortSignal, permit: string | null): Promise<Opening | 'unreachable' | 'opening' | 'refused'> {
    const { lease, root, capability, workerPeer } = this.#check;
    const which = { lease: lease.lease, root, job: lease.job, leaves: [...this.#drawn] };
    const request: PeerRequest = { type: 'film.open', ...which, capability, permit };
    let refused = false;
    for (let attempt = 0; attempt < OPEN_TRIES_MAX && !signal.aborted; attempt++) {
      const outcome = await this.#context.net.request(signal, workerPeer, request);
      if (outcome.status === 'answered') return this.#parse(outcome.body) ?? 'opening';
      refused = outcome.status === 'refused' && !PATIENCE.has(outcome.fault);
      await this.#context.clock.sleep(signal, backoffMs(attempt, RECONNECT_BACKOFF_MS_MIN, RECONNECT_BACKOFF_MS_MAX));
    }
    return refused ? 'refused' : 'unreachable';
  }

  /** @returns null unless the light and the drawn signatures hash to the committed root. */
  #parse(body: Bytes): Opening | null {
    const lightBytes = this.#tile.width * this.#tile.height * FILM_BYTES_PER_PIXEL;
    const hashesEnd = lightBytes + this.#leaves.length * 32;
    if (body.length < hashesEnd) return null;
    const light = body.slice(0, lightBytes);
    const hashes = body.slice(lightBytes, hashesEnd);
    const leafHashes = deliveredHashes(light, hashes, this.#tile);
    if (!leafHashes || toHex(rootOf(leafHashes)) !== this.#check.root) return null;
    const signatures: Bytes[] = [];
    let at = hashesEnd;
    for (const index of this.#drawn) {
      const { width, height } = this.#leaves[index]!;
      const bytes = width * height * (this.#pass?.count ?? 0) * SIGNATURE_BYTES_PER_PATH;
      const part = body.slice(at, at + bytes);
      if (part.length !== bytes || !equalBytes(sha256(part), hashes.subarray(index * 32, index * 32 + 32))) return null;
      signatures.push(part);
      at += bytes;
    }
    return at === body.length ? { light, leafHashes, signatures } : null;
  }

  /** @param before what was traced of the drawn leaves already. */
  async #compare(signal: AbortSignal, opened: Opening, pass: Pass, before: readonly LeafParts[] | null): Promise<Finding | null> {
    const { order } = this.#check;
    const paths = { samples: pass.count, segmentsMax: segmentsPerPathMax(order.bounces) };
    const total = { paths: 0, pathsEqual: 0, pixelsWrong: 0, segments: 0 };
    const light = { claimed: 0, traced: 0 };
    let reason: Finding['reason'] = this.#claimFault(opened.light, pass) ?? 'agrees';
    let sample: CheckRecord['sample'] = null;
    for (const [i, index] of this.#drawn.entries()) {
      const rect = this.#leaves[index]!;
      const traced = before?.[i] ?? (await this.#trace(signal, i, pass));
      if (signal.aborted) return null;
      if (!traced) return { ...NOTHING_SEEN, verdict: 'unavailable', reason: 'scene' };
      const claimed: LeafParts = {
        light: cutLight({ width: this.#tile.width, light: opened.light }, this.#tile, rect),
        signatures: opened.signatures[i]!,
      };
      const finding = compareLeaf(claimed, traced, paths);
      // Sky matches whatever was traced: counted in, it would hide what the other leaves say of the worker over time.
      const tells = !finding.agrees || this.#classes?.[index] !== 0;
      total.paths += tells ? finding.paths : 0;
      total.pathsEqual += tells ? finding.pathsEqual : 0;
      total.pixelsWrong += finding.pixelsWrong;
      total.segments += filmSegments(traced.light);
      light.claimed += lightSum(claimed.light);
      light.traced += lightSum(traced.light);
      if (!sample || (!finding.agrees && reason === 'agrees'))
        sample = { rect, samples: pass.count, claimed: claimed.light, traced: traced.light };
      if (!finding.agrees && reason === 'agrees') reason = finding.reason;
    }
    return { ...total, biasPpm: biasOf(light), verdict: reason === 'agrees' ? 'pass' : 'fail', reason, sample };
  }

  /** What the whole film says against its commitment, before any of it is traced again. */
  #claimFault(light: Bytes, pass: Pass): 'segments' | 'weights' | null {
    const { order, segments: billed, weights } = this.#check;
    const counted = filmSegments(light);
    const most = this.#tile.width * this.#tile.height * pass.count * segmentsPerPathMax(order.bounces);
    if (counted !== billed || counted > most) return 'segments';
    return weights === null || weights === packClasses(leafClasses(light, this.#tile, pass.count)) ? null : 'weights';
  }

  /** All that is drawn, before any of it is seen. Of a whole tile at once: leaf by leaf it would take many times as long. */
  async #traceAll(signal: AbortSignal, pass: Pass): Promise<readonly LeafParts[] | 'untraceable'> {
    if (this.#whole) {
      this.#show('checking', `Re-tracing all of a tile of "${this.#check.order.title}".`);
      const film = await this.#traceFilm(signal, this.#tile, pass);
      return film ? this.#leaves.map((rect) => cutLeaf(film, this.#tile, rect)) : 'untraceable';
    }
    const traced: LeafParts[] = [];
    for (const at of this.#drawn.keys()) {
      const leaf = await this.#trace(signal, at, pass);
      if (!leaf) return 'untraceable';
      traced.push(leaf);
    }
    return traced;
  }

  /** @param at which of the drawn leaves. */
  async #trace(signal: AbortSignal, at: number, pass: Pass): Promise<LeafParts | null> {
    this.#show('checking', `Re-tracing leaf ${at + 1} of ${this.#drawn.length} of "${this.#check.order.title}".`);
    const rect = this.#leaves[this.#drawn[at]!]!;
    const film = await this.#traceFilm(signal, rect, pass);
    return film && cutLeaf(film, rect, rect);
  }

  async #traceFilm(signal: AbortSignal, rect: Rect, pass: Pass): Promise<Film | null> {
    const { order, lease, capability, sources } = this.#check;
    for (let attempt = 0; attempt < TRACE_TRIES_MAX && !signal.aborted; attempt++) {
      const traced = await this.#context.engine.trace(signal, { sceneRoot: order.sceneRoot, frame: order, rect, pass });
      if (traced.ok) return traced.film;
      if (traced.reason === 'node-cap' || traced.reason === 'aborted') return null;
      // Lost device, dropped scene: compile again and trace the leaf again.
      this.#shared.scenes.forget(order.sceneRoot);
      const scene = await this.#shared.scenes.ensure(signal, { job: lease.job, order, capability, sources });
      if (!scene.ok) return null;
    }
    return null;
  }
}

/** All light of a leaf, its three channels added. */
const lightSum = (light: Bytes): number => filmLight(light).reduce((sum, value) => sum + value, 0);

/** How much brighter the claim is: antisymmetric, so that honest differences lean neither way. */
function biasOf({ claimed, traced }: { claimed: number; traced: number }): number {
  const lean = claimed + traced > 0 ? (claimed - traced) / (claimed + traced) : 0;
  return Number.isFinite(lean) ? Math.round(1e6 * Math.min(Math.max(lean, -1), 1)) : 0;
}
