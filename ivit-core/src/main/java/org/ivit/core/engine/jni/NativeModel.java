package org.ivit.core.engine.jni;

import java.lang.ref.Cleaner;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import org.ivit.core.graph.IntegerGraph;

/** A graph in native memory, and the buffers of its calls, which are kept for reuse. */
final class NativeModel {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Memory memory;
  private final Cleaner.Cleanable cleanable;
  private final List<StepWork> steps;

  /**
   * @param kernels that run here
   * @throws RefusedGraphException if they cannot hold the graph
   */
  NativeModel(IntegerGraph graph, String kernels) throws RefusedGraphException {
    long model =
        NativeKernels.newModel(
            kernels,
            graph.architecture().image().height(),
            graph.architecture().image().width(),
            graph.architecture().stem().patch(),
            graph.architecture().classes());
    if (model == 0) {
      throw new OutOfMemoryError("native kernels: no memory for a model");
    }
    memory = new Memory(model);
    cleanable = CLEANER.register(this, memory);
    boolean built = false;
    try {
      new ModelBuilder(model).build(graph);
      steps = StepWork.of(graph.architecture());
      built = true;
    } finally {
      if (!built) {
        cleanable.clean();
      }
    }
  }

  /** What each step does. */
  List<StepWork> steps() {
    return steps;
  }

  /** Lends the buffers of a picture to {@code body}. */
  void withPicture(LongConsumer body) {
    memory.pictures.with(body);
  }

  /** Lends the buffers of so many pictures to {@code body}. */
  void withPictures(int count, Consumer<long[]> body) {
    withPictures(new long[count], 0, body);
  }

  private void withPictures(long[] pictures, int taken, Consumer<long[]> body) {
    if (taken == pictures.length) {
      body.accept(pictures);
      return;
    }
    memory.pictures.with(
        picture -> {
          pictures[taken] = picture;
          withPictures(pictures, taken + 1, body);
        });
  }

  /** Runs all steps of a picture. */
  void run(long picture) {
    memory.scratches.with(
        scratch -> {
          for (int step = 0; step < steps.size(); step++) {
            PhaseWork all = steps.get(step).whole();
            run(step, all, picture, scratch, 0, all.rows(), 0, all.units());
          }
        });
  }

  /** Runs a part of a phase of a step. */
  void run(Split split, long picture, int from, int to, int first, int end) {
    memory.scratches.with(
        scratch -> run(split.step(), split.work(), picture, scratch, from, to, first, end));
  }

  private void run(
      int step, PhaseWork work, long picture, long scratch, int from, int to, int first, int end) {
    NativeKernels.run(
        memory.model, step, picture, scratch, work.phase().code, from, to, first, end);
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

  /**
   * Native buffers: as many exist as were ever used at once. A thread looks first where it put one
   * down, so that threads of a pool do not wait for each other's cache line at every part.
   */
  private static final class Buffers {
    private static final int PLACES = 64;

    /** From one place to the next: a cache line. */
    private static final int APART = 8;

    private final LongUnaryOperator factory;
    private final LongConsumer end;
    private final Memory memory;
    private final ConcurrentLinkedQueue<Long> all = new ConcurrentLinkedQueue<>();
    private final AtomicLongArray places = new AtomicLongArray(PLACES * APART);
    private final ConcurrentLinkedDeque<Long> more = new ConcurrentLinkedDeque<>();

    Buffers(LongUnaryOperator factory, LongConsumer end, Memory memory) {
      this.factory = factory;
      this.end = end;
      this.memory = memory;
    }

    void with(LongConsumer body) {
      long buffer = take();
      try {
        body.accept(buffer);
      } finally {
        putDown(buffer);
      }
    }

    /** Where a thread looks in turn. */
    private static int place(int turn) {
      return (int) ((Thread.currentThread().getId() + turn) % PLACES) * APART;
    }

    private long take() {
      for (int turn = 0; turn < PLACES; turn++) {
        int place = place(turn);
        long buffer = places.get(place);
        if (buffer != 0 && places.compareAndSet(place, buffer, 0)) {
          return buffer;
        }
      }
      Long idle = more.pollFirst();
      return idle == null ? fresh() : idle;
    }

    private long fresh() {
      long buffer = factory.applyAsLong(memory.model);
      if (buffer == 0) {
        throw new OutOfMemoryError("native kernels: no memory for buffers");
      }
      all.add(buffer);
      return buffer;
    }

    private void putDown(long buffer) {
      for (int turn = 0; turn < PLACES; turn++) {
        if (places.compareAndSet(place(turn), 0, buffer)) {
          return;
        }
      }
      more.addFirst(buffer);
    }

    void free() {
      more.clear();
      for (Long buffer = all.poll(); buffer != null; buffer = all.poll()) {
        end.accept(buffer);
      }
    }
  }
}
