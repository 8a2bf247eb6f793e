package org.ivit.core.engine.cuda;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.cuda.KernelImages;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.graph.IntegerGraph;

/**
 * The forward pass on a GPU. Calls of several threads run side by side, each with buffers of its
 * own; the launches of a batch size are recorded once and replayed.
 */
public final class CudaEngine implements Engine {
  static final KernelImages KERNELS = new KernelImages(CudaEngine.class, "/cuda/");

  /** More pictures go in several turns; beyond it a GPU gains nothing and buffers only grow. */
  private static final int MOST_PICTURES = 256;

  /** A grid has at most 65535 tiles in y, the smallest of 32 rows. */
  private static final int MOST_ROWS = 65535 * 32;

  private final IntegerGraph graph;
  private final Device device;
  private final String why;
  private final Constants constants;
  private final BatchRuns runs;
  private final int mostPictures;

  /** Calls read, closing writes: memory is freed when the last call has returned. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  private boolean closed;

  /**
   * @param graph any model
   * @param device to run on; closed with the engine, also where this fails
   * @param why why this engine was chosen, for {@link #description}
   */
  CudaEngine(IntegerGraph graph, Device device, String why) {
    this.graph = graph;
    this.device = device;
    this.why = why;
    constants = new Constants(device);
    Forward forward = null;
    try {
      forward = new Forward(constants, graph);
    } finally {
      if (forward == null) {
        constants.close();
        device.close();
      }
    }
    runs = new BatchRuns(device, forward);
    mostPictures = Math.max(1, Math.min(MOST_PICTURES, MOST_ROWS / forward.tokens()));
  }

  /**
   * Opens the engine on a GPU.
   *
   * @param graph any model
   * @param gpu which
   * @param why why this engine was chosen, for {@link #description}
   * @throws org.ivit.core.InputException if there is no such GPU, no driver, or one that is too old
   */
  public static CudaEngine open(IntegerGraph graph, Gpu gpu, String why) {
    return new CudaEngine(graph, DriverDevice.open(KERNELS, gpu), why);
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public String description() {
    return "cuda: %s (%s)".formatted(device.name(), why);
  }

  @Override
  public Backend backend() {
    return new Backend("cuda", why, device.name(), 1);
  }

  @Override
  public IntegerGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int pictures) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("engine cuda is closed");
      }
      EngineChecks.input(graph, codes, pictures);
      int[] logits = new int[Math.multiplyExact(pictures, graph.architecture().classes())];
      for (int first = 0; first < pictures; first += mostPictures) {
        runs.run(Math.min(mostPictures, pictures - first), codes, first, logits);
      }
      return logits;
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        runs.close();
        constants.close();
        device.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
