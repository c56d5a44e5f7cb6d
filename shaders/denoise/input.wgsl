// Encodes a tile of a picture and what guides it into blocks of four channels. Numbers that are none
// count as zero; beauty is never clamped from above. Outside the picture all is zero, as the network
// was trained.
//#import denoise/tile
//#import denoise/transfer

@group(0) @binding(0) var<uniform> tile: Tile;
@group(0) @binding(1) var<storage, read> color: array<f32>;
@group(0) @binding(2) var<storage, read> albedo: array<f32>;
@group(0) @binding(3) var<storage, read> normal: array<f32>;
@group(0) @binding(4) var<storage, read_write> blocks: array<Stored>;

/// Whether albedo and normal are there beside the colour.
override GUIDES: u32 = 0u;

/// Zero for what is no number, and for infinities.
fn finite(v: f32) -> f32 {
  // By its bits: a compiler may assume that comparisons meet no such number.
  return select(v, 0.0, (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u);
}

fn color_at(pixel: u32) -> vec3f {
  let v = vec3f(finite(color[pixel * 3u]), finite(color[pixel * 3u + 1u]), finite(color[pixel * 3u + 2u]));
  if (TRANSFER == TRANSFER_NORMAL) { return clamp(v, vec3f(-1.0), vec3f(1.0)) * 0.5 + 0.5; }
  let positive = max(v * tile.scale, vec3f(0.0));
  let bounded = select(positive, min(positive, vec3f(1.0)), TRANSFER == TRANSFER_SRGB);
  return vec3f(encode(bounded.x), encode(bounded.y), encode(bounded.z));
}

@compute @workgroup_size(8, 8)
fn encode_tile(@builtin(global_invocation_id) id: vec3u) {
  let y = tile.first_row + id.y;
  if (id.x >= tile.width || y >= tile.height) { return; }
  let plane = tile.width * tile.height;
  let at = tile.first_block * plane + y * tile.width + id.x;
  let there = id.x < tile.there_width && y < tile.there_height;
  let pixel = y * tile.there_width + id.x;
  var c = vec3f(0.0);
  var a = vec3f(0.0);
  var n = vec3f(0.0);
  if (there) {
    c = color_at(pixel);
    if (GUIDES > 0u) {
      let v = vec3f(finite(albedo[pixel * 3u]), finite(albedo[pixel * 3u + 1u]), finite(albedo[pixel * 3u + 2u]));
      a = clamp(v, vec3f(0.0), vec3f(1.0));
    }
    if (GUIDES > 1u) {
      let v = vec3f(finite(normal[pixel * 3u]), finite(normal[pixel * 3u + 1u]), finite(normal[pixel * 3u + 2u]));
      n = clamp(v, vec3f(-1.0), vec3f(1.0)) * 0.5 + 0.5;
    }
  }
  blocks[at] = Stored(vec4f(c, a.x));
  if (GUIDES > 0u) { blocks[at + plane] = Stored(vec4f(a.yz, n.xy)); }
  if (GUIDES > 1u) { blocks[at + 2u * plane] = Stored(vec4f(n.z, 0.0, 0.0, 0.0)); }
}
