package org.ivit.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Stem;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Scheme;

/**
 * One product of large codes in ONNX. Two products of an unsigned and a signed byte pass 16 bits,
 * so a kernel that adds them there ({@code vpmaddubsw}, which ONNX Runtime takes for signed weights
 * where there is no VNNI) gives another answer.
 */
final class LargeProduct {
  private static final Architecture VIT =
      new Vit("small", 8, 4, 16, 1, 2, 32, 5, 1e-6).architecture();
  static final int DIM = 16;
  static final int INPUTS = 3 * 4 * 4;
  private static final int PIXELS = 3 * 8 * 8;
  private static final float INPUT_SCALE = 1 / 128f;
  static final String FROM = "blocks.0.norm1";
  static final String NAME = Stem.PROJECTION;

  /** The projection's weights behind a node that may have outlier channels. */
  private static final LinearSpec LAYER =
      new LinearSpec(
          NAME, VIT.stem().projection().node(), VIT.nodes().get(FROM), INPUTS, DIM, true);

  /** Powers of two, so that every number is exact in float32. */
  private static final float WEIGHT_SCALE = 1 / 256f;

  private static int[] codes(int count, int least, long seed) {
    Random random = new Random(seed);
    return random.ints(count, least, 128).toArray();
  }

  /** Codes of weights from 100 to 127, positive in half of the channels, negative in the others. */
  static int[] weights() {
    int[] codes = codes(DIM * INPUTS, 100, 1);
    for (int i = 0; i < codes.length; i++) {
      codes[i] = i / INPUTS % 2 == 0 ? codes[i] : -codes[i];
    }
    return codes;
  }

  static ModelProto model(QdqWeights form, Scheme scheme) {
    int[] codes = weights();
    float[] weight = new float[codes.length];
    for (int i = 0; i < codes.length; i++) {
      weight[i] = codes[i] * WEIGHT_SCALE;
    }
    float[] scale = new float[DIM];
    Arrays.fill(scale, WEIGHT_SCALE);
    FloatWeights weights =
        new FloatWeights(
            Map.of(NAME + ".weight", weight, NAME + ".bias", new float[DIM]),
            Map.of(NAME + ".weight", scale));
    OnnxGraph graph = new OnnxGraph("product");
    graph.input(FloatGraph.PIXELS, DataType.FLOAT, 3, VIT.image().height(), VIT.image().width());
    QdqProducts products = new QdqProducts(graph, weights, scheme, Map.of(FROM, INPUT_SCALE), form);
    String rows =
        new Tokens(graph).unfold(FloatGraph.PIXELS, "rows", VIT.image(), VIT.stem().patch());
    String product = products.linear(LAYER, rows);
    graph.node("Identity", FloatGraph.LOGITS, List.of(product));
    graph.output(FloatGraph.LOGITS, DataType.FLOAT, DIM);
    return graph.model("test", Map.of());
  }

  /** Codes of pixels that are unsigned bytes of 228 to 255. */
  static int[] pixels() {
    return codes(PIXELS, 100, 2);
  }

  static float[] answer(QdqWeights form) throws OrtException {
    int[] codes = pixels();
    float[] pixels = new float[codes.length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = codes[i] * INPUT_SCALE;
    }
    try (Ort ort = new Ort(model(form, Scheme.EXACT), VIT.image())) {
      return ort.logits(pixels, 1);
    }
  }

  /** [patch][channel], in integers. */
  static float[] expected() {
    int[] pixels = pixels();
    int[] weights = weights();
    float[] expected = new float[4 * DIM];
    for (int patch = 0; patch < 4; patch++) {
      for (int c = 0; c < DIM; c++) {
        int sum = 0;
        for (int k = 0; k < INPUTS; k++) {
          int row = patch / 2 * 4 + k / 4 % 4;
          int column = patch % 2 * 4 + k % 4;
          sum += weights[c * INPUTS + k] * pixels[(k / 16 * 8 + row) * 8 + column];
        }
        expected[patch * DIM + c] = sum * WEIGHT_SCALE * INPUT_SCALE;
      }
    }
    return expected;
  }

  private LargeProduct() {}

  /** Whether ONNX Runtime's answer is that of the integers on this processor. */
  static boolean isExact(QdqWeights form) throws OrtException {
    return Arrays.equals(answer(form), expected());
  }
}
