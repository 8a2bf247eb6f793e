package org.ivit.core.parallel;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.ivit.core.InputException;

/**
 * A fixed number of threads for many short parallel steps. How an index range is split depends on
 * its length and the number of threads only, so whoever reduces part by part gets the same result
 * every time; which thread takes a part is open.
 *
 * <p>The calling thread takes part, and takes all parts that nobody else took, so several callers
 * may use one pool at once and a pool of one thread needs no worker. A call from inside a body runs
 * in the calling thread alone, with the same split. Workers are daemon threads that spin for some
 * microseconds before they park.
 */
public final class WorkerPool implements AutoCloseable {
  /** The system property that says how many threads {@link #shared()} has. */
  public static final String PROPERTY = "ivit.threads";

  /** Calls that can share the workers at once; a further one runs in its own thread alone. */
  private static final int SLOTS = 32;

  /** Most threads of a pool. */
  public static final int MOST_THREADS = 1024;

  /** By number of threads. */
  private static final Map<Integer, WorkerPool> SHARED = new ConcurrentHashMap<>();

  private final int threads;
  private final boolean permanent;
  private final int spins;
  private final Worker[] workers;
  private final AtomicReferenceArray<Job> slots = new AtomicReferenceArray<>(SLOTS);
  private final AtomicInteger published = new AtomicInteger();
  private final ThreadLocal<Boolean> inside = ThreadLocal.withInitial(() -> false);
  private volatile boolean closed;

  /**
   * @param threads how many threads work on a call, the caller among them; 1 to 1024
   * @throws IllegalArgumentException for any other number
   */
  public WorkerPool(int threads) {
    this(threads, false);
  }

  private WorkerPool(int threads, boolean permanent) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException("threads: " + threads + ", expected 1 to " + MOST_THREADS);
    }
    this.threads = threads;
    this.permanent = permanent;
    // With more threads than processors a spinning thread keeps a working one from its processor.
    this.spins = threads <= Runtime.getRuntime().availableProcessors() ? 1000 : 1;
    this.workers = new Worker[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker("ivit-worker-" + (i + 1));
      workers[i].setDaemon(true);
      workers[i].start();
    }
  }

  /**
   * The pool that everything in this process shares that asks for no number of threads: it has as
   * many as the property {@value #PROPERTY} says, or as there are processors.
   *
   * @throws InputException if the property is no number from 1 to 1024
   */
  public static WorkerPool shared() {
    return shared(configuredThreads());
  }

  /**
   * The pool that everything in this process shares that asks for so many threads, made at the
   * first call. Closing it does nothing.
   *
   * @param threads how many work on a call, the caller among them; 1 to 1024
   * @throws IllegalArgumentException for any other number
   */
  public static WorkerPool shared(int threads) {
    return SHARED.computeIfAbsent(threads, count -> new WorkerPool(count, true));
  }

  /** Threads where there is one a processor. */
  public static int processors() {
    return Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS);
  }

  /**
   * Threads as the property {@value #PROPERTY} asks, or one a processor.
   *
   * @throws InputException if the property is no number from 1 to 1024
   */
  public static int configuredThreads() {
    return configuredThreads(processors());
  }

  /**
   * Threads as the property {@value #PROPERTY} asks.
   *
   * @param otherwise the answer where it is not set
   * @throws InputException if the property is no number from 1 to 1024
   */
  public static int configuredThreads(int otherwise) {
    String text = System.getProperty(PROPERTY);
    if (text == null || text.isBlank()) {
      return otherwise;
    }
    try {
      int threads = Integer.parseInt(text.strip());
      if (threads >= 1 && threads <= MOST_THREADS) {
        return threads;
      }
    } catch (NumberFormatException e) {
      throw new InputException(refusal(text), e);
    }
    throw new InputException(refusal(text));
  }

  private static String refusal(String text) {
    return "property " + PROPERTY + ": '" + text + "', expected a number from 1 to " + MOST_THREADS;
  }

  /** How many threads work on a call, the caller among them. */
  public int threads() {
    return threads;
  }

  /**
   * Runs {@code body} once for each task 0 … tasks − 1 and returns when all are done. Tasks of very
   * different length balance themselves.
   *
   * @throws IllegalStateException if the pool is closed
   * @throws RuntimeException what a task threw first; tasks not begun by then are left out. An
   *     {@link Error} likewise
   */
  public void run(int tasks, IntConsumer body) {
    if (tasks < 0) {
      throw new IllegalArgumentException("tasks: " + tasks);
    }
    execute(new Job(tasks, body));
  }

  /**
   * Splits 0 … n − 1 into at most {@link #threads()} parts of nearly equal length, none shorter
   * than {@code minChunk} unless it is the only one, and runs {@code body} on each.
   *
   * @throws IllegalStateException if the pool is closed
   * @throws RuntimeException what a part threw first, as {@link #run}
   */
  public void ranges(int n, int minChunk, RangeBody body) {
    if (n < 0 || minChunk < 1) {
      throw new IllegalArgumentException("n: " + n + ", minChunk: " + minChunk);
    }
    int parts = parts(n, minChunk);
    run(parts, part -> body.accept(start(n, part, parts), start(n, part + 1, parts), part));
  }

  /**
   * Returns the first index of a part where 0 … n − 1 is cut into parts of nearly equal length; the
   * part ends where the next one begins.
   *
   * @param part from 0; {@code parts} gives n
   */
  public static int start(int n, int part, int parts) {
    return (int) ((long) n * part / parts);
  }

  /** In how many parts {@link #ranges} splits {@code n} indices: 0 if there are none. */
  public int parts(int n, int minChunk) {
    return n == 0 ? 0 : Math.max(1, Math.min(threads, n / minChunk));
  }

  private void execute(Job job) {
    if (closed) {
      throw new IllegalStateException("the worker pool is closed");
    }
    if (job.tasks == 0) {
      return;
    }
    int slot = job.tasks == 1 || workers.length == 0 || inside.get() ? -1 : publish(job);
    boolean outer = inside.get();
    inside.set(true);
    try {
      job.work();
    } finally {
      inside.set(outer);
      if (slot >= 0) {
        slots.set(slot, null);
      }
    }
    job.await(spins);
    job.rethrow();
  }

  /** Shows the job to the workers; returns its slot, or −1 if all are taken. */
  private int publish(Job job) {
    int slot = 0;
    while (!slots.compareAndSet(slot, null, job)) {
      if (++slot == SLOTS) {
        return -1;
      }
    }
    published.incrementAndGet();
    int wanted = job.tasks - 1;
    for (Worker worker : workers) {
      if (wanted == 0) {
        break;
      }
      if (worker.parked) {
        LockSupport.unpark(worker);
      }
      wanted--;
    }
    return slot;
  }

  /** Lets the workers end; calls under way are finished. The shared pool stays open. */
  @Override
  public void close() {
    if (permanent) {
      return;
    }
    closed = true;
    for (Worker worker : workers) {
      LockSupport.unpark(worker);
    }
  }

  private final class Worker extends Thread {
    private volatile boolean parked;

    Worker(String name) {
      super(name);
    }

    @Override
    public void run() {
      inside.set(true);
      int seen = published.get();
      while (!closed) {
        for (int slot = 0; slot < SLOTS; slot++) {
          Job job = slots.get(slot);
          if (job != null) {
            job.work();
          }
        }
        for (int spin = 0; spin < spins && published.get() == seen && !closed; spin++) {
          Thread.onSpinWait();
        }
        if (published.get() == seen) {
          // Whoever publishes after this line sees the flag; whoever did before changed the count.
          parked = true;
          if (published.get() == seen && !closed) {
            LockSupport.park(WorkerPool.this);
            Thread.interrupted();
          }
          parked = false;
        }
        seen = published.get();
      }
    }
  }

  /** One call: tasks are claimed one by one, and whoever finishes the last one wakes the caller. */
  private static final class Job {
    final int tasks;
    private final IntConsumer body;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger claimed = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private volatile Throwable failure;
    private volatile boolean waiting;

    Job(int tasks, IntConsumer body) {
      this.tasks = tasks;
      this.body = body;
    }

    void work() {
      while (claimed.get() < tasks) {
        int task = claimed.getAndIncrement();
        if (task >= tasks) {
          return;
        }
        try {
          if (failure == null) {
            body.accept(task);
          }
        } catch (Throwable e) {
          keep(e);
        } finally {
          if (finished.incrementAndGet() == tasks && waiting) {
            LockSupport.unpark(caller);
          }
        }
      }
    }

    private synchronized void keep(Throwable e) {
      if (failure == null) {
        failure = e;
      }
    }

    void await(int spins) {
      for (int spin = 0; spin < spins; spin++) {
        if (finished.get() == tasks) {
          return;
        }
        Thread.onSpinWait();
      }
      waiting = true;
      boolean interrupted = false;
      while (finished.get() != tasks) {
        LockSupport.park(this);
        interrupted |= Thread.interrupted();
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    void rethrow() {
      Throwable e = failure;
      if (e instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      if (e instanceof Error error) {
        throw error;
      }
      if (e != null) {
        throw new IllegalStateException(e);
      }
    }
  }
}
