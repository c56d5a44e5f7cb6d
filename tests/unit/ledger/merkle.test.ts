/** RFC 6962 trees against the vectors that Certificate Transparency's own implementations share. */
import { expect, test } from 'vitest';
import { fromHex, toHex } from '#lib/protocol/bytes.ts';
import { consistencyProof, hashLeaf, inclusionProof, rootFromInclusion, rootOf, verifyConsistency } from '#lib/ledger/merkle.ts';
import { RootBuilder } from '#lib/ledger/verify.ts';

const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(fromHex);
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = inputs.map(hashLeaf);

test('the roots of trees of 0 to 8 leaves are the known ones', () => {
  expect(toHex(rootOf([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const builder = new RootBuilder();
  roots.forEach((root, i) => {
    builder.add(hashes[i]!);
    expect(toHex(rootOf(hashes.slice(0, i + 1)))).toBe(root);
    expect(toHex(builder.root())).toBe(root);
  });
});

test('the known audit path of leaf 0 in 8 leaves', () => {
  expect(inclusionProof(hashes, 0).map(toHex)).toEqual([
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
});

test('every inclusion and consistency proof up to 20 leaves verifies, and none for another leaf or size', () => {
  const many = Array.from({ length: 20 }, (_, i) => hashLeaf(Uint8Array.of(i)));
  for (let size = 1; size <= many.length; size++) {
    const tree = many.slice(0, size);
    const root = rootOf(tree);
    for (let leaf = 0; leaf < size; leaf++) {
      const proof = inclusionProof(tree, leaf);
      expect(rootFromInclusion(tree[leaf]!, leaf, size, proof)).toEqual(root);
      if (size > 1) expect(rootFromInclusion(tree[(leaf + 1) % size]!, leaf, size, proof)).not.toEqual(root);
    }
    for (let old = 1; old <= size; old++) {
      const proof = consistencyProof(tree, old);
      expect(verifyConsistency(old, size, rootOf(tree.slice(0, old)), root, proof)).toBe(true);
      if (old < size) expect(verifyConsistency(old, size, rootOf(many.slice(1, old + 1)), root, proof)).toBe(false);
    }
  }
});
