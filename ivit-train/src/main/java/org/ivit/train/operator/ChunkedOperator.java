package org.ivit.train.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/**
 * An operator that takes a batch in chunks of pictures, each by one thread. It keeps chunks, and
 * the memory in them, from step to step.
 */
public abstract class ChunkedOperator implements Operator {
  private final ParameterLayout layout;
  private final int rows;
  private final List<Chunk> chunks = new ArrayList<>();

  /** Pictures of the last forward pass in training. */
  private int kept;

  /**
   * @param layout where its parameters lie
   * @param rows of a picture, which decide how many pictures make a chunk
   */
  protected ChunkedOperator(ParameterLayout layout, int rows) {
    this.layout = layout;
    this.rows = rows;
  }

  @Override
  public final ParameterLayout layout() {
    return layout;
  }

  /** Builds what all chunks of a forward pass need. */
  protected void prepare(Reals weights, int batch, Execution run) {
    // A float operator reads its weights where they are.
  }

  /**
   * Computes the output of a chunk.
   *
   * @param weights all parameters, by {@link #layout()}
   * @param x input of the batch
   * @param y output of the batch
   * @param chunk which pictures
   * @param run what this step is about
   */
  protected abstract void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run);

  /**
   * Computes the gradients of a chunk.
   *
   * @param weights as they were in the forward pass
   * @param x input of the batch
   * @param gy gradient of the loss by the output of the batch
   * @param gx where to write the gradient by the input of the batch; null where nobody wants it
   * @param gradients added to
   * @param chunk which pictures, as in the forward pass
   * @param run what this step is about
   */
  protected abstract void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run);

  @Override
  public void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run) {
    prepare(weights, batch, run);
    begin(batch, training, run);
    forEachChunk(batch, training, run, chunk -> forward(weights, x, y, chunk, run));
  }

  /** Makes room for a forward pass, and forgets what the last one saw. */
  protected final void begin(int batch, boolean training, Execution run) {
    int count = run.chunks(batch, rows);
    while (chunks.size() < count) {
      chunks.add(new Chunk(run.type()));
    }
    boolean observed = training && run.rangeMode() == RangeMode.LAGGED;
    chunks.forEach(chunk -> chunk.observe(observed));
    if (training) {
      kept = batch;
    }
  }

  /** Runs {@code body} on every chunk of a forward pass that {@link #begin} made room for. */
  protected final void forEachChunk(
      int batch, boolean training, Execution run, Consumer<Chunk> body) {
    run.forEachChunk(
        batch,
        rows,
        (chunk, first, count, part) ->
            body.accept(chunks.get(chunk).at(first, count, training, run.scratch(part))));
  }

  /** What all chunks of the last forward pass saw. */
  protected final SortedMap<String, Range> seen() {
    SortedMap<String, Range> all = new TreeMap<>();
    chunks.forEach(chunk -> chunk.record().addTo(all));
    return all;
  }

  @Override
  public final void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run) {
    if (batch != kept) {
      throw new IllegalStateException(
          "backward pass of %s pictures, but the last forward pass in training had %s"
              .formatted(batch, kept));
    }
    run.forEachChunkWithGradients(
        batch,
        rows,
        layout.size(),
        gradients,
        (chunk, first, count, part, sums) ->
            backward(
                weights,
                x,
                gy,
                gx,
                sums,
                chunks.get(chunk).at(first, count, true, run.scratch(part)),
                run));
    finish(weights, gradients, run);
  }

  /**
   * Turns the gradients of all chunks, summed, into those of the parameters where they differ.
   *
   * @param weights as they were in the forward pass
   * @param gradients of the batch
   * @param run what this step is about
   */
  protected void finish(Reals weights, Reals gradients, Execution run) {
    // They do not, where the sum is all.
  }
}
