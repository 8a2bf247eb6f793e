package org.ivit.core.graph;

import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Block;

/** Collects the scales of a graph's nodes by full node name. */
final class ScaleTable {
  private final SortedMap<String, Float> scales = new TreeMap<>();

  void put(String name, float scale) {
    scales.put(name, scale);
  }

  void add(Linear linear) {
    put(linear.name(), linear.outputScale());
  }

  void add(LayerNorm norm) {
    put(norm.name(), norm.outputScale());
  }

  void add(IntegerBlock block) {
    Block site = block.site();
    add(block.norm1());
    add(block.qkv());
    put(site.node("attn.scores"), block.attention().scoresScale());
    PositionBias position = block.attention().position();
    if (position != null) {
      put(site.node(NodeNames.POSITION_TABLE), position.tableScale());
      put(position.name(), position.outputScale());
    }
    put(site.node("attn.context"), block.attention().contextScale());
    add(block.proj());
    add(block.residual1());
    add(block.norm2());
    add(block.fc1());
    put(block.gelu().name(), block.gelu().outputScale());
    add(block.fc2());
    add(block.residual2());
  }

  void add(Residual residual) {
    put(residual.name(), residual.outputScale());
  }

  SortedMap<String, Float> all() {
    return scales;
  }
}
