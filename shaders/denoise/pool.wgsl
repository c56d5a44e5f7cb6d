// The largest of each 2 x 2 pixels, channel by channel.
@group(0) @binding(0) var<uniform> pool: Pool;
@group(0) @binding(1) var<storage, read> source: array<Stored>;
@group(0) @binding(2) var<storage, read_write> pooled: array<Stored>;
//#import denoise/tile

@compute @workgroup_size(8, 8)
fn pool_blocks(@builtin(global_invocation_id) id: vec3u) {
  let y = pool.first_row + id.y;
  if (id.x >= pool.width || y >= pool.height) { return; }
  let wide = pool.width * 2u;
  let corner = (pool.from_block + id.z) * wide * pool.height * 2u + y * 2u * wide + id.x * 2u;
  let top = max(source[corner], source[corner + 1u]);
  let bottom = max(source[corner + wide], source[corner + wide + 1u]);
  pooled[(pool.to_block + id.z) * pool.width * pool.height + y * pool.width + id.x] = max(top, bottom);
}
