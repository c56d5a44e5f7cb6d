/** The capability line: what a browser that cannot trace is told, and that no device is made to find out. */
import { describe, expect, it } from 'vitest';
import { adapterName, probeCapability, type ProbeScope } from '#lib/state/capability.ts';

const CHROME_LINUX = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15';

const info = {
  vendor: 'apple',
  architecture: 'metal-3',
  device: '',
  description: '',
  isFallbackAdapter: false,
  subgroupMinSize: 4,
  subgroupMaxSize: 64,
  __brand: 'GPUAdapterInfo',
} as GPUAdapterInfo;

const scope = (change: Partial<ProbeScope>): ProbeScope => ({ gpu: undefined, secure: true, userAgent: CHROME_LINUX, ...change });

/** An adapter that can be looked at and nothing else: asking it for a device fails the test. */
const lookOnly = (shown: GPUAdapterInfo): GPUAdapter =>
  ({
    info: shown,
    requestDevice: () => {
      throw new Error('a device was made');
    },
  }) as unknown as GPUAdapter;

describe('capability', () => {
  it('names the adapter and makes no device', async () => {
    const found = await probeCapability(scope({ gpu: { requestAdapter: async () => lookOnly(info) } }));
    expect(found).toEqual({ status: 'able', name: 'Apple Metal-3', software: false });
  });

  it('says when the adapter is software', async () => {
    const shown = { ...info, vendor: 'google', architecture: 'swiftshader' } as GPUAdapterInfo;
    expect(await probeCapability(scope({ gpu: { requestAdapter: async () => lookOnly(shown) } }))).toMatchObject({
      status: 'able',
      software: true,
    });
  });

  it.each([
    ['insecure page', scope({ secure: false }), /insecure/, /https/],
    ['Chromium on Linux without WebGPU', scope({}), /off in this browser/, /chrome:\/\/flags/],
    ['Firefox without WebGPU', scope({ userAgent: FIREFOX }), /off in this browser/, /about:config/],
    ['older Safari', scope({ userAgent: SAFARI }), /off in this browser/, /Feature Flags/],
    ['no adapter', scope({ gpu: { requestAdapter: async () => null } }), /no graphics adapter/, /chrome:\/\/gpu/],
    ['adapter request throws', scope({ gpu: { requestAdapter: () => Promise.reject(new Error('blocked')) } }), /blocked/, /driver/],
  ])('says why and how to fix it: %s', async (_name, probed, why, fix) => {
    const found = await probeCapability(probed);
    if (found.status !== 'unable') throw new Error(`expected unable, got ${found.status}`);
    expect(found.why).toMatch(why);
    expect(found.fix).toMatch(fix);
  });

  it('has a name for an adapter that tells nothing', () => {
    expect(adapterName({ vendor: '', architecture: '', device: '', description: '' })).toBe('unnamed graphics adapter');
    expect(adapterName({ vendor: 'apple', architecture: '', device: '', description: 'Apple M2' })).toBe('Apple M2');
  });
});
