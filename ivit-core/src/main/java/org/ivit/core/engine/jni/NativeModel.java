package org.ivit.core.engine.jni;

import java.lang.ref.Cleaner;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import org.ivit.core.graph.IntegerGraph;

/** A graph in native memory, and the buffers of its calls, which are kept for reuse. */
final class NativeModel {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Memory memory;
  private final Cleaner.Cleanable cleanable;
  private final int[] rows;

  /**
   * @param kernels that run here
   * @throws RefusedGraphException if they cannot hold the graph
   */
  NativeModel(IntegerGraph graph, String kernels) throws RefusedGraphException {
    long model =
        NativeKernels.newModel(
            kernels,
            graph.architecture().image(),
            graph.architecture().stem().patch(),
            graph.architecture().classes());
    if (model == 0) {
      throw new OutOfMemoryError("native kernels: no memory for a model");
    }
    memory = new Memory(model);
    cleanable = CLEANER.register(this, memory);
    boolean built = false;
    try {
      rows = new ModelBuilder(model).build(graph);
      built = true;
    } finally {
      if (!built) {
        cleanable.clean();
      }
    }
  }

  /** Number of steps. */
  int steps() {
    return rows.length;
  }

  /** Rows of a step, which may be split. */
  int rows(int step) {
    return rows[step];
  }

  /** Lends the buffers of a picture to {@code body}. */
  void withPicture(LongConsumer body) {
    memory.pictures.with(body);
  }

  /** Runs rows {@code from} to {@code to} − 1 of a step. */
  void run(int step, long picture, int from, int to) {
    memory.scratches.with(
        scratch -> NativeKernels.run(memory.model, step, picture, scratch, from, to));
  }

  /** Frees everything; nothing may run any more. */
  void free() {
    cleanable.clean();
  }

  /** Outlives the model, which must not be reachable from here. */
  private static final class Memory implements Runnable {
    final long model;
    final Buffers pictures =
        new Buffers(NativeKernels::newPicture, NativeKernels::freePicture, this);
    final Buffers scratches =
        new Buffers(NativeKernels::newScratch, NativeKernels::freeScratch, this);

    Memory(long model) {
      this.model = model;
    }

    @Override
    public void run() {
      pictures.free();
      scratches.free();
      NativeKernels.freeModel(model);
    }
  }

  /** Native buffers: as many exist as were ever used at once. */
  private static final class Buffers {
    private final LongUnaryOperator factory;
    private final LongConsumer end;
    private final Memory memory;
    private final ConcurrentLinkedQueue<Long> all = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedDeque<Long> idle = new ConcurrentLinkedDeque<>();

    Buffers(LongUnaryOperator factory, LongConsumer end, Memory memory) {
      this.factory = factory;
      this.end = end;
      this.memory = memory;
    }

    void with(LongConsumer body) {
      Long buffer = idle.pollFirst();
      if (buffer == null) {
        long fresh = factory.applyAsLong(memory.model);
        if (fresh == 0) {
          throw new OutOfMemoryError("native kernels: no memory for buffers");
        }
        buffer = fresh;
        all.add(buffer);
      }
      try {
        body.accept(buffer);
      } finally {
        idle.addFirst(buffer);
      }
    }

    void free() {
      idle.clear();
      for (Long buffer = all.poll(); buffer != null; buffer = all.poll()) {
        end.accept(buffer);
      }
    }
  }
}
