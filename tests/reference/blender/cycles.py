"""Renders the scenes of a job file in Cycles, for tests/reference/blender/cycles.ts.

blender -b -P cycles.py -- job.json. Each scene is a GLB seen by one camera under a uniform sky or
none; the picture is written as raw little-endian float32 RGB, row by row from the top. Materials are
arranged as in glTF's appendix B: Lambert that loses the exact Fresnel term at the viewer's angle,
under GGX with multiple scattering. What transmits keeps Blender's own glass. Refuses textures other
than base colour, roughness, metal and normal: no scene here has them.
"""

import json
import math
import os
import sys

import bpy
import numpy
from mathutils import Matrix, Vector


def linked_or_set(tree, source, target):
    """Gives `target` what `source` has: its link, or its value."""
    if source.is_linked:
        tree.links.new(source.links[0].from_socket, target)
    else:
        target.default_value = source.default_value


def fresnel_of(tree, two_sided):
    """The Fresnel node; with `two_sided` the back of a face is as dense as its front, as glTF wants."""
    fresnel = tree.nodes.new("ShaderNodeFresnel")
    fresnel.inputs["IOR"].default_value = 1.5
    if two_sided:
        # Cycles inverts the index seen from behind; inverting it before keeps 1.5.
        geometry = tree.nodes.new("ShaderNodeNewGeometry")
        index = tree.nodes.new("ShaderNodeMath")
        index.operation = "MULTIPLY_ADD"
        tree.links.new(geometry.outputs["Backfacing"], index.inputs[0])
        index.inputs[1].default_value = 1 / 1.5 - 1.5
        index.inputs[2].default_value = 1.5
        tree.links.new(index.outputs[0], fresnel.inputs["IOR"])
    return fresnel


def gloss(tree, principled, color, metallic):
    """The specular part alone: Blender's own with multiple scattering, over black or of metal."""
    node = tree.nodes.new("ShaderNodeBsdfPrincipled")
    node.distribution = "MULTI_GGX"
    node.inputs["Base Color"].default_value = (0, 0, 0, 1)
    node.inputs["Specular"].default_value = 0.5
    node.inputs["Metallic"].default_value = metallic
    if color is not None:
        linked_or_set(tree, color, node.inputs["Base Color"])
    linked_or_set(tree, principled.inputs["Roughness"], node.inputs["Roughness"])
    return node


def appendix_b(tree, principled, two_sided):
    """@returns the shader of glTF's appendix B from the parameters of Blender's."""
    diffuse = tree.nodes.new("ShaderNodeBsdfDiffuse")
    linked_or_set(tree, principled.inputs["Base Color"], diffuse.inputs["Color"])
    fresnel = fresnel_of(tree, two_sided)
    under = tree.nodes.new("ShaderNodeMixShader")  # its second shader is none: black
    tree.links.new(fresnel.outputs[0], under.inputs[0])
    tree.links.new(diffuse.outputs[0], under.inputs[1])
    layer = gloss(tree, principled, None, 0)
    metal = gloss(tree, principled, principled.inputs["Base Color"], 1)
    dielectric = tree.nodes.new("ShaderNodeAddShader")
    tree.links.new(under.outputs[0], dielectric.inputs[0])
    tree.links.new(layer.outputs[0], dielectric.inputs[1])
    both = tree.nodes.new("ShaderNodeMixShader")
    linked_or_set(tree, principled.inputs["Metallic"], both.inputs[0])
    tree.links.new(dielectric.outputs[0], both.inputs[1])
    tree.links.new(metal.outputs[0], both.inputs[2])
    if principled.inputs["Normal"].is_linked:
        for node in (diffuse, fresnel, layer, metal):
            linked_or_set(tree, principled.inputs["Normal"], node.inputs["Normal"])
    return both


def arrange(material, two_sided):
    if not material.use_nodes:
        return
    tree = material.node_tree
    principled = next((node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    if principled is None or principled.inputs["Transmission"].default_value > 0 or principled.inputs["Clearcoat"].default_value > 0:
        return
    targets = [link.to_socket for link in principled.outputs[0].links]
    emission = principled.inputs["Emission"]
    if max(emission.default_value[:3]) > 0:  # lamps here are black otherwise
        result = tree.nodes.new("ShaderNodeEmission")
        result.inputs["Color"].default_value = emission.default_value
        result.inputs["Strength"].default_value = principled.inputs["Emission Strength"].default_value
    else:
        result = appendix_b(tree, principled, two_sided)
    for target in targets:
        tree.links.new(result.outputs[0], target)


def settings(scene, job):
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples, cycles.seed = job["samples"], 7
    cycles.use_denoising = cycles.use_adaptive_sampling = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = cycles.transmission_bounces = job["bounces"]
    cycles.sample_clamp_direct = cycles.sample_clamp_indirect = cycles.blur_glossy = 0
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 1
    scene.render.resolution_x = scene.render.resolution_y = job["side"]
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.view_settings.view_transform = "Raw"


def sky(scene, radiance):
    world = bpy.data.worlds.new("sky")
    scene.world, world.use_nodes = world, True
    world.node_tree.nodes["Background"].inputs[0].default_value = (radiance, radiance, radiance, 1)


def look(scene, camera):
    """glTF's +Y up to Blender's +Z up."""
    turned = lambda v: Vector((v[0], -v[2], v[1]))
    data = bpy.data.cameras.new("eye")
    eye = bpy.data.objects.new("eye", data)
    scene.collection.objects.link(eye)
    scene.camera = eye
    at, target = turned(camera["eye"]), turned(camera["target"])
    eye.matrix_world = Matrix.Translation(at) @ (target - at).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    data.sensor_fit, data.angle = "VERTICAL", 2 * math.atan(camera["tanHalfVfov"])
    data.clip_start, data.clip_end = 1e-3, 1e5


def render(job):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=job["scene"])
    scene = bpy.context.scene
    settings(scene, job)
    for material in bpy.data.materials:
        arrange(material, job["twoSided"])
    sky(scene, job["sky"])
    look(scene, job["camera"])
    scene.render.filepath = job["out"] + ".exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    rgba = numpy.empty(job["side"] * job["side"] * 4, dtype=numpy.float32)
    image.pixels.foreach_get(rgba)
    rgba.reshape(job["side"], job["side"], 4)[::-1, :, :3].astype("<f4").tofile(job["out"])
    os.remove(scene.render.filepath)


with open(sys.argv[sys.argv.index("--") + 1]) as file:
    for one in json.load(file):
        render(one)
