package org.ivit.serve;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.Input;
import org.ivit.serve.model.ModelDescription;
import org.ivit.serve.model.Runner;

/** A model that answers when a test lets it, and tells its batches. */
public final class FakeRunner implements Runner {
  private final Runner model;
  private final Semaphore gate = new Semaphore(0);
  private final List<Integer> batches = new CopyOnWriteArrayList<>();
  private volatile RuntimeException failure;
  private volatile boolean closed;
  private int atOnce = 1;

  /**
   * @param model that answers
   */
  public FakeRunner(Runner model) {
    this.model = model;
  }

  /** Lets so many batches through. */
  public void let(int count) {
    gate.release(count);
  }

  /** Lets the next batches fail. */
  public void fail(RuntimeException e) {
    failure = e;
  }

  /** How many batches it takes at once, set before it is used; 1 otherwise. */
  public void atOnce(int count) {
    atOnce = count;
  }

  /** Sizes of the batches that began. */
  public List<Integer> batches() {
    return batches;
  }

  public boolean closed() {
    return closed;
  }

  @Override
  public ModelDescription description() {
    return model.description();
  }

  @Override
  public int batchesAtOnce() {
    return atOnce;
  }

  @Override
  public List<Answer> run(List<Input> inputs) {
    batches.add(inputs.size());
    gate.acquireUninterruptibly();
    if (failure != null) {
      throw failure;
    }
    return model.run(inputs);
  }

  @Override
  public void close() {
    closed = true;
    model.close();
  }
}
