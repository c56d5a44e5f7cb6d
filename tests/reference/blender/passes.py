"""Opens an OpenEXR file as Blender's compositor does and writes every layer it finds as a plain float EXR
of its own: blender -b -P passes.py -- FILE FOLDER. Prints one line per layer: its name and its kind."""
import sys

import bpy

path, folder = sys.argv[sys.argv.index("--") + 1 :]
image = bpy.data.images.load(path)
scene = bpy.context.scene
scene.use_nodes = True
tree = scene.node_tree
tree.nodes.clear()
source = tree.nodes.new("CompositorNodeImage")
source.image = image
files = tree.nodes.new("CompositorNodeOutputFile")
files.base_path = folder
files.format.file_format = "OPEN_EXR"
files.format.color_depth = "32"
files.format.exr_codec = "NONE"
files.file_slots.clear()
for output in source.outputs:
    print(f"LAYER {output.name} {output.type}")
    files.file_slots.new(f"{output.name}-")
    tree.links.new(output, files.inputs[-1])
# An image knows its size once it was drawn from.
width, height = image.size
scene.render.resolution_x, scene.render.resolution_y = (int(n) for n in (width or 64, height or 64))
scene.render.resolution_percentage = 100
bpy.ops.render.render(write_still=False)
