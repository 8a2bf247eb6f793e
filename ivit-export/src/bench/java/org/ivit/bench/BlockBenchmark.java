package org.ivit.bench;

import org.ivit.core.architecture.Architecture;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.ivit.core.family.Vit;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One picture through a network of few blocks of ViT-Tiny's size on one thread, by provider of the
 * CPU engine: the difference of 2 blocks and 1 is a block.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@State(Scope.Benchmark)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BlockBenchmark {
  /** Provider; one that does not run here is reported as an error. */
  @Param({"vnni", "avx2", "java"})
  public String cpu;

  /** Number of blocks. */
  @Param({"1", "2"})
  public int blocks;

  /** Form of softmax; deferred has 8-bit attention. */
  @Param({"EXACT", "DEFERRED"})
  public SoftmaxForm softmax;

  private Engine engine;
  private byte[] codes;

  /** Builds a random model. */
  @Setup(Level.Trial)
  public void open() {
    Architecture vit = new Vit("bench", 224, 16, 192, blocks, 3, 768, 10, 1e-6).architecture();
    Scheme scheme =
        new Scheme(
            GeluForm.ASYMMETRIC,
            softmax,
            softmax == SoftmaxForm.DEFERRED ? 8 : 16,
            new TreeMap<>());
    IntegerGraph graph = ObservedModel.graph(vit, scheme, new Random(1));
    engine =
        Engines.open(
            graph,
            EngineConfig.standard().withEngine("cpu").withKernels(cpu).withThreads(1));
    codes = new byte[3 * 224 * 224];
    new Random(2).nextBytes(codes);
  }

  /** One picture. */
  @Benchmark
  public int[] picture() {
    return engine.logits(codes, 1);
  }

  /** Frees the engine. */
  @TearDown(Level.Trial)
  public void close() {
    engine.close();
  }
}
