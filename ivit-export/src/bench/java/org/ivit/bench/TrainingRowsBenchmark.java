package org.ivit.bench;

import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.operator.integer.Codes;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Row kernels of a training step on the rows of one picture of ViT-Tiny, one thread. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Benchmark)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TrainingRowsBenchmark {
  private static final int ROWS = 197;
  private static final int DIM = 192;
  private static final int HIDDEN = 768;

  /** Kernels. */
  @Param({"avx512", "avx2", "c", "java"})
  public String kernels;

  private final Buffers buffers = new Buffers(RealType.FLOAT32);
  private final double[] gamma = new double[DIM];
  private final double[] beta = new double[DIM];
  private Reals tokens;
  private Reals normed;
  private Reals hidden;
  private Reals active;
  private Reals scores;
  private Reals gradient;
  private short[] codes;

  /** Random numbers. */
  @Setup(Level.Trial)
  public void fill() {
    if (!NativeRows.use(kernels)) {
      throw new IllegalStateException(kernels + " does not run here");
    }
    tokens = random(ROWS * DIM);
    normed = random(ROWS * DIM);
    hidden = random(ROWS * HIDDEN);
    active = random(ROWS * HIDDEN);
    scores = random(ROWS * ROWS);
    gradient = random(ROWS * ROWS);
    codes = new short[ROWS * DIM];
    for (int c = 0; c < DIM; c++) {
      gamma[c] = 1;
    }
  }

  private static Reals random(int n) {
    Random random = new Random(n);
    Reals reals = Reals.allocate(RealType.FLOAT32, n);
    for (int i = 0; i < n; i++) {
      reals.put(i, random.nextGaussian());
    }
    return reals;
  }

  /** Layer norm. */
  @Benchmark
  public void norm() {
    FloatKernels.norm(
        tokens, 0, DIM, gamma, beta, 1e-6, normed, 0, ROWS, DIM, buffers.doubles("row", DIM));
  }

  /** GELU. */
  @Benchmark
  public void gelu() {
    FloatKernels.gelu(hidden, active, ROWS * HIDDEN, buffers.doubles("gelu", 1024), 1024);
  }

  /** Its backward pass. */
  @Benchmark
  public void geluBackward() {
    FloatKernels.geluBackward(
        hidden,
        active,
        ROWS * HIDDEN,
        buffers.doubles("gelu", 1024),
        buffers.doubles("values", 1024),
        1024);
  }

  /** Softmax of one head. */
  @Benchmark
  public void softmax() {
    FloatKernels.softmax(scores, 0, ROWS, ROWS, buffers.doubles("scores", ROWS));
  }

  /** Its backward pass. */
  @Benchmark
  public void softmaxBackward() {
    FloatKernels.softmaxBackward(
        scores,
        0,
        1,
        gradient,
        ROWS,
        ROWS,
        buffers.doubles("p", ROWS),
        buffers.doubles("scores", ROWS));
  }

  /** Numbers to 16-bit codes. */
  @Benchmark
  public void recover() {
    Codes.recover(tokens, 0, 0.001f, codes, ROWS * DIM, buffers);
  }
}
