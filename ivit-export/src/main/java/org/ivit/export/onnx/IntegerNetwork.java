package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.PixelTable;
import org.ivit.core.graph.SwinGraph;
import org.ivit.core.graph.SwinStage;
import org.ivit.core.graph.VitGraph;

/**
 * An integer model in ONNX operators, from pixels of 8 bits to its int32 logits, without a floating
 * point number. Tokens lie in rows, [batch·tokens, channels].
 */
final class IntegerNetwork {
  private final OnnxGraph graph;
  private final Tokens tokens;
  private final IntegerMath math;
  private final IntegerLayers layers;

  IntegerNetwork(OnnxGraph graph) {
    this.graph = graph;
    this.tokens = new Tokens(graph);
    this.math = new IntegerMath(graph);
    this.layers = new IntegerLayers(graph);
  }

  /**
   * Writes the whole network.
   *
   * @param pixels input codes of each value of a pixel
   */
  void write(IntegerGraph integers, PixelTable pixels) {
    Architecture architecture = integers.architecture();
    int image = architecture.image();
    graph.input(FloatGraph.PIXELS, DataType.UINT8, 3, image, image);
    String patches = tokens.unfold(codes(pixels), "input", image, architecture.patch());
    String logits =
        integers instanceof SwinGraph swin
            ? swin(swin, patches)
            : vit((VitGraph) integers, patches);
    math.cast(logits, FloatGraph.LOGITS, DataType.INT32);
    graph.output(FloatGraph.LOGITS, DataType.INT32, architecture.classes());
  }

  /** Bytes of the input codes, by a table of 256 for each of the three channels. */
  private String codes(PixelTable pixels) {
    byte[] table = new byte[3 * 256];
    for (int c = 0; c < 3; c++) {
      for (int value = 0; value < 256; value++) {
        table[c * 256 + value] = (byte) (pixels.codes()[c][value] + 128);
      }
    }
    String offsets = graph.longs("input.offsets", new long[] {0, 256, 512}, 1, 3, 1, 1);
    String index = math.add(math.wide(FloatGraph.PIXELS, "input"), offsets, "input");
    String codes = graph.bytes("input.table", DataType.UINT8, table, table.length);
    return graph.node("Gather", "input", List.of(codes, index));
  }

  private String vit(VitGraph vit, String patches) {
    Vit architecture = vit.architecture();
    int dim = architecture.dim();
    Embed embed = vit.embed();
    int leading = embed.leading().length / dim;
    String projected = layers.linear16(vit.patchEmbed(), patches);
    long[] codes = java.util.Arrays.stream(embed.leading()).asLongStream().toArray();
    String joined =
        tokens.prepend(
            graph.longs("leading", codes, 1, leading, dim),
            leading,
            tokens.reshape(projected, NodeNames.PATCH_EMBED, -1, architecture.patches(), dim),
            NodeNames.EMBED,
            dim);
    String x =
        tokens.reshape(
            layers.residual(embed.sum(), joined, embed.position(), dim), NodeNames.EMBED, -1, dim);
    for (IntegerBlock block : vit.blocks()) {
      x = block(block, x);
    }
    String pictures = tokens.reshape(x, NodeNames.NORM, -1, architecture.tokens(), dim);
    String logits = null;
    for (int i = 0; i < vit.heads().size(); i++) {
      Linear head = vit.heads().get(i);
      String token = tokens.token(pictures, i, head.name());
      String own = layers.linear(head, head.name(), layers.norm8(vit.norm(), token));
      logits = logits == null ? own : math.add(logits, own, FloatGraph.LOGITS);
    }
    return logits;
  }

  private String swin(SwinGraph swin, String patches) {
    Swin architecture = swin.architecture();
    String projected = layers.linear8(swin.patchEmbed(), patches);
    String x = layers.norm16(swin.patchNorm(), layers.centred(projected, swin.patchNorm().name()));
    List<Swin.Stage> sites = architecture.stages();
    for (int i = 0; i < sites.size(); i++) {
      SwinStage stage = swin.stages().get(i);
      for (IntegerBlock block : stage.blocks()) {
        x = block(block, x);
      }
      if (stage.merging() != null) {
        Swin.Stage site = sites.get(i);
        String merged = tokens.neighbours(x, site.mergeNorm(), site.resolution(), site.dim());
        String norm = layers.norm8(stage.merging().norm(), merged);
        Linear reduction = stage.merging().reduction();
        x = layers.centred(layers.linear8(reduction, norm), reduction.name());
      }
    }
    String norm = layers.norm8(swin.norm(), x);
    String pictures =
        tokens.reshape(
            norm, NodeNames.POOL, -1, architecture.pooledTokens(), architecture.features());
    return layers.linear(swin.head(), swin.head().name(), layers.pool(swin.pool(), pictures));
  }

  private String block(IntegerBlock block, String x) {
    Block site = block.site();
    String norm1 = tokens.partition(layers.norm8(block.norm1(), x), site, site.node("partition"));
    String qkv = layers.linear8(block.qkv(), norm1);
    String context = new IntegerAttention(graph, site, block.attention()).write(qkv);
    String proj = layers.linear16(block.proj(), context);
    String branch = tokens.reverse(proj, site, site.node("reverse"));
    String middle = layers.residual(block.residual1(), branch, x);
    String norm2 = layers.norm8(block.norm2(), middle);
    String fc1 = layers.linear(block.fc1(), block.fc1().name(), norm2);
    String act = layers.gelu(block.gelu(), fc1, site.hidden());
    return layers.residual(block.residual2(), layers.linear16(block.fc2(), act), middle);
  }
}
