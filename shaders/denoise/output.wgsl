// Decodes what the network made of a tile, and keeps the part of it that no seam can show in.
//#import denoise/tile
//#import denoise/transfer

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> blocks: array<Stored>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;

@compute @workgroup_size(8, 8)
fn decode_tile(@builtin(global_invocation_id) id: vec3u) {
  let y = tile.first_row + id.y;
  if (id.x >= tile.keep_width || y >= tile.keep_height) { return; }
  let v = vec4f(blocks[(tile.keep_y + y) * tile.width + tile.keep_x + id.x]);
  var out = vec3f(decode(v.x), decode(v.y), decode(v.z));
  if (TRANSFER == TRANSFER_NORMAL) {
    out = clamp(v.xyz * 2.0 - 1.0, vec3f(-1.0), vec3f(1.0));
  } else {
    out = max(out / tile.scale, vec3f(0.0));
  }
  if (TRANSFER == TRANSFER_SRGB) { out = min(out, vec3f(1.0)); }
  let at = (y * tile.keep_width + id.x) * 3u;
  image[at] = out.x;
  image[at + 1u] = out.y;
  image[at + 2u] = out.z;
}
