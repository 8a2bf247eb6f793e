package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomSwin;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Training computes the engine's integers on Swins of random sizes, before and after a step. */
class SwinNetworkPropertiesTest {
  @Property(tries = 12)
  void trainingLogitsAreTheEngineLogits(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll RangeMode mode,
      @ForAll @IntRange(min = 1, max = 3) int threads,
      @ForAll @IntRange(min = 1, max = 5) int pictures) {
    Architecture swin = RandomSwin.of(seed);
    Scheme scheme = ObservedModel.scheme(gelu, softmax, narrow, new TreeMap<>());
    AdamW optimizer = new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8);
    float[] pixels = pixels(swin, pictures, seed);
    try (WorkerPool pool = new WorkerPool(threads)) {
      TransformerNetwork network =
          TransformerNetwork.build(
              new NetworkOptions(swin, scheme, RealType.FLOAT32, seed, optimizer, 0.1, 0, 1), pool);
      FloatWeights weights = ObservedModel.weights(swin, new Random(seed));
      network.load(weights);
      ObservingForward calibration =
          new ObservingForward(
              swin, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
      int[] observed = calibration.run(pixels, pictures);
      network.ranges(calibration.ranges());
      network.rangeMode(mode);
      assertThat(network.integerLogits(pixels, pictures)).isEqualTo(observed);
      assertThat(engine(network, pixels, pictures)).isEqualTo(observed);

      float[] targets = new float[pictures * swin.classes()];
      for (int i = 0; i < pictures; i++) {
        targets[i * swin.classes() + i % swin.classes()] = 1;
      }
      MicroBatch batch = new MicroBatch(pixels, targets, pictures, new long[pictures]);
      new TrainingStep(network, 1).run(List.of(batch));
      assertThat(network.integerLogits(pixels, pictures))
          .isEqualTo(engine(network, pixels, pictures));
    }
  }

  private static int[] engine(TransformerNetwork network, float[] pixels, int pictures) {
    IntegerGraph graph = network.integerGraph();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      return engine.logits(Quantizer.codes8("pixels", pixels, graph.inputScale()), pictures);
    }
  }

  private static float[] pixels(Architecture swin, int pictures, long seed) {
    Random random = new Random(seed);
    float[] pixels = new float[pictures * swin.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    return pixels;
  }
}
