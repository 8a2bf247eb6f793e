package org.ivit.train.operator;

import java.util.Arrays;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * What the operators of one network share: threads, scratch memory, and the state of the step. Work
 * is split into chunks of pictures and chunks into one contiguous part a thread; every sum over
 * pictures is taken in that order, so the same thread count gives the same bits.
 */
public final class Execution {
  /** Rows of a chunk that make a matrix product efficient. */
  private static final int EFFICIENT_ROWS = 192;

  private static final int NORM_BLOCK = 4096;

  private final WorkerPool pool;
  private final RealType type;
  private final Gemm gemm = Gemm.available();
  private final Buffers[] scratch;
  private final Reals[] partial;
  private RangeMode rangeMode = RangeMode.FROZEN;
  private long[] pictureKeys = {};
  private long stepKey;
  private NodeTap tap;
  private LinearTap linearTap;

  /** What computes the rows between products, in a few words: {@code native kernels avx512}. */
  public static String kernels() {
    return NativeRows.description();
  }

  /** One chunk of pictures. */
  @FunctionalInterface
  public interface ChunkBody {
    /**
     * Works on a chunk.
     *
     * @param chunk number of the chunk
     * @param first its first picture
     * @param count its pictures
     * @param part which thread's scratch memory to use
     */
    void accept(int chunk, int first, int count, int part);
  }

  /**
   * @param pool the threads
   * @param type how numbers are stored
   */
  public Execution(WorkerPool pool, RealType type) {
    this.pool = pool;
    this.type = type;
    this.scratch = new Buffers[pool.threads()];
    Arrays.setAll(scratch, i -> new Buffers(type));
    this.partial = new Reals[pool.threads()];
  }

  /** Who hears the nodes of a float network from now on; null for nobody. */
  public void tap(NodeTap listener) {
    tap = listener;
  }

  /** Shows a part of a node's values to the tap, if there is one. */
  public void tapped(Node node, Reals values, int from, int length, int channels) {
    if (tap != null) {
      tap.at(node, values, from, length, channels);
    }
  }

  /**
   * Who hears the linear layers of a float network in backward passes from now on; null for nobody.
   * Where somebody does, the gradients by the layers' own parameters are not computed.
   */
  public void linearTap(LinearTap listener) {
    linearTap = listener;
  }

  /**
   * Shows the rows of a linear layer to its tap, if there is one.
   *
   * @return whether there is one
   */
  public boolean tappedLinear(LinearSpec layer, Reals x, Reals gy, int gyFrom, int rows) {
    if (linearTap == null) {
      return false;
    }
    linearTap.at(layer, x, gy, gyFrom, rows);
    return true;
  }

  /** How numbers are stored. */
  public RealType type() {
    return type;
  }

  /** The threads. */
  public WorkerPool pool() {
    return pool;
  }

  /** What happens to ranges in training passes. */
  public RangeMode rangeMode() {
    return rangeMode;
  }

  /** Sets what happens to ranges in training passes. */
  public void rangeMode(RangeMode mode) {
    rangeMode = mode;
  }

  /**
   * Keys of the randomness of the pictures in the coming batches.
   *
   * @param keys one a picture, a function of seed, epoch and picture; empty: positions in the batch
   * @param step mixed into all of them
   */
  public void randomness(long[] keys, long step) {
    pictureKeys = keys.clone();
    stepKey = step;
  }

  /** The key of a picture of the batch. */
  public long pictureKey(int picture) {
    if (pictureKeys.length == 0) {
      return stepKey * 0x9E3779B97F4A7C15L + picture;
    }
    if (picture >= pictureKeys.length) {
      throw new IllegalStateException(
          "keys of " + pictureKeys.length + " pictures, but the batch has more");
    }
    return pictureKeys[picture] + stepKey * 0x9E3779B97F4A7C15L;
  }

  public Gemm gemm() {
    return gemm;
  }

  public Buffers scratch(int part) {
    return scratch[part];
  }

  /** Pictures of a chunk. */
  int chunkSize(int batch, int rowsPerPicture) {
    int efficient = (EFFICIENT_ROWS + rowsPerPicture - 1) / rowsPerPicture;
    int share = (batch + pool.threads() - 1) / pool.threads();
    return Math.max(1, Math.min(efficient, share));
  }

  /** Number of chunks of a batch. */
  public int chunks(int batch, int rowsPerPicture) {
    int size = chunkSize(batch, rowsPerPicture);
    return (batch + size - 1) / size;
  }

  /** Runs {@code body} on every chunk. */
  public void forEachChunk(int batch, int rowsPerPicture, ChunkBody body) {
    int size = chunkSize(batch, rowsPerPicture);
    pool.ranges(
        chunks(batch, rowsPerPicture),
        1,
        (from, to, part) -> {
          for (int chunk = from; chunk < to; chunk++) {
            int first = chunk * size;
            body.accept(chunk, first, Math.min(size, batch - first), part);
          }
        });
  }

  /** As {@link #forEachChunk}, with a gradient vector of its own for each part, zero at first. */
  public void forEachChunkWithGradients(
      int batch, int rowsPerPicture, int parameters, Reals gradients, GradientBody body) {
    int parts = pool.parts(chunks(batch, rowsPerPicture), 1);
    for (int part = 0; part < parts; part++) {
      if (partial[part] == null || partial[part].size() < parameters) {
        partial[part] = Reals.allocate(type, parameters);
      }
    }
    int size = chunkSize(batch, rowsPerPicture);
    pool.ranges(
        chunks(batch, rowsPerPicture),
        1,
        (from, to, part) -> {
          partial[part].clear(0, parameters);
          for (int chunk = from; chunk < to; chunk++) {
            int first = chunk * size;
            body.accept(chunk, first, Math.min(size, batch - first), part, partial[part]);
          }
        });
    pool.ranges(
        parameters, 16384, (from, to, part) -> reduce(from, to, parts, gradients, scratch[part]));
  }

  /**
   * The Euclidean norm of a vector, summed in float64, part by part in order: the same for the same
   * number of threads.
   */
  public double norm(Reals vector) {
    double[] squares = new double[pool.threads()];
    pool.ranges(
        vector.size(),
        NORM_BLOCK,
        (from, to, part) -> squares[part] = squares(vector, from, to, scratch[part]));
    return Math.sqrt(Arrays.stream(squares).sum());
  }

  private static double squares(Reals vector, int from, int to, Buffers buffers) {
    if (NativeRows.serves(vector)) {
      return NativeRows.squares(NativeRows.address(vector, from, to - from), to - from);
    }
    double[] block = buffers.doubles("norm", NORM_BLOCK);
    double sum = 0;
    for (int at = from; at < to; at += NORM_BLOCK) {
      int n = Math.min(NORM_BLOCK, to - at);
      vector.get(at, block, 0, n);
      for (int i = 0; i < n; i++) {
        sum += block[i] * block[i];
      }
    }
    return sum;
  }

  /** A chunk in a backward pass. */
  @FunctionalInterface
  public interface GradientBody {
    /** As {@link ChunkBody#accept}, adding to the part's {@code gradients}. */
    void accept(int chunk, int first, int count, int part, Reals gradients);
  }

  private void reduce(int from, int to, int parts, Reals gradients, Buffers buffers) {
    if (parts <= NativeRows.MOST_PARTS && NativeRows.serves(gradients)) {
      long[] addresses = new long[parts];
      for (int part = 0; part < parts; part++) {
        addresses[part] = NativeRows.address(partial[part], from, to - from);
      }
      NativeRows.sum(addresses, parts, NativeRows.address(gradients, from, to - from), to - from);
      return;
    }
    int block = 1024;
    double[] sum = buffers.doubles("sum", block);
    double[] one = buffers.doubles("one", block);
    for (int at = from; at < to; at += block) {
      int n = Math.min(block, to - at);
      partial[0].get(at, sum, 0, n);
      for (int part = 1; part < parts; part++) {
        partial[part].get(at, one, 0, n);
        for (int i = 0; i < n; i++) {
          sum[i] += one[i];
        }
      }
      gradients.put(at, sum, 0, n);
    }
  }
}
