/**
 * Which built-in functions a shader may call: an allow-list, because what decides a path must be the
 * same on every device but for a few last bits. WGSL (section "Floating point accuracy") rounds +, -
 * and * correctly, gives division 2.5 ulp, sqrt about 3, and lets products fuse; what is made of
 * these (dot, length, normalize, mix) inherits a few ulp and is allowed: where such a bit may decide,
 * the code has a tie rule (traverse.wgsl). Refused are functions whose error is absolute or grows:
 * sin and cos 2^-11, atan and acos 4096 ulp, exp2 3 + 2|x| ulp, log2 2^-21, pow what exp2(y log2 x)
 * gives; inverseSqrt, refract, reflect, faceForward and smoothstep, which drivers map to their own
 * approximations and which nothing here needs; and filtering, whose weights are the hardware's.
 */
import { describe, expect, it } from 'vitest';
import { shaderModules } from '#shaders/index.ts';

/** Exact by definition, or integer. */
const EXACT =
  'abs all any arrayLength bitcast ceil clamp countLeadingZeros countOneBits countTrailingZeros extractBits firstLeadingBit firstTrailingBit floor insertBits max min reverseBits round select sign trunc textureDimensions textureLoad textureStore atomicAdd atomicLoad atomicStore atomicMax atomicOr workgroupBarrier storageBarrier pack2x16float unpack2x16float'.split(
    ' ',
  );
/** A few ulp, inherited from +, -, *, / and sqrt. */
const FEW_ULP = 'cross distance dot fma fract length mix normalize sqrt'.split(' ');
const TYPES =
  'array atomic bool f32 i32 u32 ptr vec2 vec3 vec4 vec2f vec3f vec4f vec2u vec3u vec4u vec2i vec3i vec4i mat2x2f mat3x3f mat4x4f mat4x3f'.split(
    ' ',
  );
const WORDS = 'if for while switch return loop case var override const_assert align size binding group builtin workgroup_size'.split(' ');

/** Names that are called or constructed in WGSL and declared nowhere in it, per module. */
function foreignCalls(modules: Readonly<Record<string, string>>): Map<string, Set<string>> {
  const bare = Object.entries(modules).map(([name, code]) => [name, code.replace(/\/\/.*$/gm, '')] as const);
  const declared = new Set(bare.flatMap(([, code]) => [...code.matchAll(/\b(?:fn|struct|alias)\s+(\w+)/g)].map((found) => found[1]!)));
  const known = new Set([...declared, ...TYPES, ...WORDS]);
  return new Map(
    bare.map(([name, code]) => [
      name,
      new Set(
        [...code.matchAll(/\b([A-Za-z_]\w*)\s*(?:<[^<>;(){}]*>)?\s*\(/g)].map((found) => found[1]!).filter((word) => !known.has(word)),
      ),
    ]),
  );
}

const ALLOWED = new Set([...EXACT, ...FEW_ULP]);
const refused = (modules: Readonly<Record<string, string>>): string[] =>
  [...foreignCalls(modules)].flatMap(([name, calls]) => [...calls].filter((call) => !ALLOWED.has(call)).map((call) => `${name}: ${call}`));

describe('built-in functions of shaders', () => {
  it('are on the list', () => {
    expect(Object.keys(shaderModules).length).toBeGreaterThan(10);
    expect(refused(shaderModules)).toEqual([]);
  });

  it.each([
    'sin',
    'cos',
    'tan',
    'asin',
    'acos',
    'atan',
    'atan2',
    'exp',
    'exp2',
    'log',
    'log2',
    'pow',
    'inverseSqrt',
    'refract',
    'smoothstep',
    'textureSampleLevel',
    'subgroupAdd',
  ])('would name %s (control)', (name) => {
    expect(refused({ probe: `fn own(x: f32) -> f32 { return x; }\nfn f(x: f32) -> f32 { return own(${name} (x)); }` })).toEqual([
      `probe: ${name}`,
    ]);
  });

  it('get no pointer to a member of what a pointer points to, on which Firefox 153 crashes', () => {
    const members = /\(\s*&\s*(?:\(\*\w+\)|\w+)\s*\.|,\s*&\s*(?:\(\*\w+\)|\w+)\s*\./;
    expect(members.test('end_guide(&(*p).guide, s.base);')).toBe(true);
    expect(Object.entries(shaderModules).flatMap(([name, code]) => (members.test(code.replace(/\/\/.*$/gm, '')) ? [name] : []))).toEqual(
      [],
    );
  });

  it('are not looked for in comments, nor among our own functions (control)', () => {
    expect(refused({ probe: 'fn sin_turns(x: f32) -> f32 { return x; } // not sin(x)\nfn f() -> f32 { return sin_turns(1.0); }' })).toEqual(
      [],
    );
  });
});
