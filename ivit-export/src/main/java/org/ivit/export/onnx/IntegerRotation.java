package org.ivit.export.onnx;

import static org.ivit.export.onnx.OnnxGraph.attribute;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.Rotation;

/** Rotary positions of an integer model: 16-bit codes of qkv to bytes. */
final class IntegerRotation {
  /** What a turned value never passes: 2^15·√2·2^14. */
  private static final long BOUND = 1L << 30;

  private final OnnxGraph graph;
  private final Tokens tokens;
  private final IntegerMath math;
  private final Block site;
  private final Rotation rotation;

  IntegerRotation(OnnxGraph graph, IntegerBlock block) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.site = block.part();
    this.rotation = block.rotation();
  }

  /**
   * @param qkv 16-bit codes, int64 [rows, 3·dim]
   * @return bytes [rows, 3·dim]
   */
  String write(String qkv) {
    String name = rotation.name();
    int dim = site.dim();
    List<String> parts = tokens.split(qkv, name, 2L * dim, dim);
    String pairs = tokens.pairs(parts.get(0), site, name);
    Rotation.Turns turns = rotation.turns();
    String own = math.multiply(pairs, table("cos", turns.cos()), name + "/cos");
    String partners = tokens.partners(pairs, site, name);
    String other = math.multiply(partners, table("sin", turns.sin()), name + "/sin");
    String turned = tokens.reshape(math.add(own, other, name), name, -1, 2L * dim);
    String values = math.multiply(parts.get(1), graph.scalar(1L << Rotation.BITS), name);
    String all =
        graph.node("Concat", name + "/all", List.of(turned, values), attribute("axis", 1L));
    return math.toBytes(math.requantize(all, rotation.requantization(), BOUND, name), name);
  }

  /** A table, which blocks of the same positions share. */
  private String table(String name, short[] codes) {
    return graph.shared(
        List.of(site.rotary(), site.headDim(), name),
        () -> {
          long[] values = new long[codes.length];
          for (int i = 0; i < values.length; i++) {
            values[i] = codes[i];
          }
          return graph.longs("rope." + name, values, 1, site.tokens(), 1, site.headDim());
        });
  }
}
