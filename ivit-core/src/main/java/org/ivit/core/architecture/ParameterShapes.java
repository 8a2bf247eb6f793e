package org.ivit.core.architecture;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Collects parameters with their shapes, in timm's order. */
final class ParameterShapes {
  private static final int CHANNELS = 3;

  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  void add(String name, long... shape) {
    shapes.put(name, shape);
  }

  void patchProjection(int dim, int patch) {
    add("patch_embed.proj.weight", dim, CHANNELS, patch, patch);
    add("patch_embed.proj.bias", dim);
  }

  void norm(String name, long channels) {
    add(name + ".weight", channels);
    add(name + ".bias", channels);
  }

  void linear(String name, long outputs, long inputs) {
    add(name + ".weight", outputs, inputs);
    add(name + ".bias", outputs);
  }

  void block(Block site) {
    int dim = site.dim();
    norm(site.node("norm1"), dim);
    if (site.windows() != null) {
      add(
          site.node("attn.relative_position_bias_table"),
          site.windows().relativePositions(),
          site.heads());
    }
    linear(site.node("attn.qkv"), 3L * dim, dim);
    linear(site.node("attn.proj"), dim, dim);
    norm(site.node("norm2"), dim);
    linear(site.node("mlp.fc1"), site.hidden(), dim);
    linear(site.node("mlp.fc2"), dim, site.hidden());
  }

  Map<String, long[]> all() {
    return Collections.unmodifiableMap(shapes);
  }
}
