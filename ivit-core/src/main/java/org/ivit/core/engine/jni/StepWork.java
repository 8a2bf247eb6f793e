package org.ivit.core.engine.jni;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;

/**
 * What a step of the native model does.
 *
 * @param ways lists of phases that come to the same; the first is the whole step at once
 */
record StepWork(List<List<PhaseWork>> ways) {
  /** Copies the lists. */
  StepWork {
    ways = ways.stream().map(List::copyOf).toList();
  }

  /** The step at once. */
  PhaseWork whole() {
    return ways.get(0).get(0);
  }

  /** The steps of an architecture, as {@link ModelBuilder} lists them. */
  static List<StepWork> of(Architecture architecture) {
    Steps steps = new Steps();
    architecture.parts().forEach(part -> part.accept(steps));
    return List.copyOf(steps.all);
  }

  /**
   * Rows that a block has to finish.
   *
   * @param tokens what the next part reads, the first ones of a picture
   */
  static int rows(Block block, int tokens) {
    return block.inOrder() ? tokens : block.tokens();
  }

  private static final class Steps implements PartVisitor<Void> {
    final List<StepWork> all = new ArrayList<>();

    /** What waits for the block after it, whose beginning belongs to it; null after one. */
    private PhaseWork around;

    /** A block that waits for what follows it: its step with what begins there, for some rows. */
    private Ending last;

    /** Adds what waits, with its end. */
    private void add(PhaseWork begin, int rows) {
      if (last != null) {
        all.add(last.step(begin, rows));
      } else if (around != null) {
        all.add(one(begin == null ? around : around.with(Phase.WHOLE, begin)));
      }
      last = null;
      around = null;
    }

    private static StepWork one(PhaseWork work) {
      return new StepWork(List.of(List.of(work)));
    }

    @FunctionalInterface
    private interface Ending {
      /** {@code begin} is null where no block follows. */
      StepWork step(PhaseWork begin, int rows);
    }

    /**
     * @param normed channels of the norm within the MLP
     */
    private static StepWork block(
        PhaseWork attend, int dim, int hidden, boolean gated, int normed, PhaseWork begin) {
      int rows = attend.rows();
      PhaseWork project = PhaseWork.panels(Phase.PROJECT, rows, dim, dim, 0);
      PhaseWork expand = PhaseWork.panels(Phase.EXPAND, rows, dim, hidden, dim);
      if (gated) {
        expand = expand.times(2, 3);
      }
      PhaseWork contract = PhaseWork.panels(Phase.CONTRACT, rows, hidden, dim, normed);
      PhaseWork finish = project.with(Phase.FINISH, expand).with(Phase.FINISH, contract);
      List<PhaseWork> apart = new ArrayList<>(List.of(attend, project, expand, contract));
      if (begin != null) {
        finish = finish.with(Phase.FINISH, begin);
        apart.add(begin);
      }
      return new StepWork(
          List.of(List.of(attend.with(Phase.WHOLE, finish)), List.of(attend, finish), apart));
    }

    /** Probabilities have two bytes: their products count twice. */
    private static PhaseWork attention(Block block, int rows) {
      long tokens = block.rowTokens();
      long dim = block.headDim();
      return new PhaseWork(
          Phase.ATTEND,
          rows,
          block.heads(),
          block.rowTokens(),
          3 * tokens * dim,
          3 * tokens + dim,
          0,
          0,
          2 * tokens * dim);
    }

    /** Its query is a constant, so the scores are done. */
    private static PhaseWork attention(AttentionPooling pooling) {
      long tokens = pooling.tokens();
      long dim = pooling.headDim();
      return new PhaseWork(
          Phase.ATTEND,
          1,
          pooling.heads(),
          1,
          2 * tokens * dim,
          tokens + dim,
          0,
          0,
          tokens * (dim + 1));
    }

    /** A sum of rows by panels, and what follows from it. */
    private static PhaseWork sums(int rows, int channels) {
      int panels = (channels + PhaseWork.PANEL - 1) / PhaseWork.PANEL;
      long added = (long) rows * PhaseWork.PANEL;
      return new PhaseWork(Phase.WHOLE, 1, panels, 1, 0, PhaseWork.PANEL, 0, 0, added);
    }

    /** A norm of rows alone. */
    private static PhaseWork norms(int rows, int channels) {
      return new PhaseWork(Phase.WHOLE, rows, 1, rows, 0, 0, 0, channels, 0);
    }

    @Override
    public Void stem(Stem stem) {
      around =
          PhaseWork.panels(
              Phase.WHOLE,
              stem.outputTokens(),
              stem.patchInputs(),
              stem.dim(),
              stem.normed() ? stem.dim() : 0);
      return null;
    }

    @Override
    public Void block(Block next) {
      PhaseWork qkv =
          PhaseWork.panels(Phase.BEGIN, next.tokens(), next.dim(), 3L * next.dim(), next.dim());
      add(next.rotary() == null ? qkv : qkv.times(1, 2), next.tokens());
      last =
          (begin, rows) ->
              block(
                  attention(next, rows(next, rows)),
                  next.dim(),
                  next.hidden(),
                  next.gated(),
                  next.gatedNorm() ? next.hidden() : 0,
                  begin);
      return null;
    }

    @Override
    public Void merging(Merging merging) {
      add(null, merging.tokens());
      around =
          PhaseWork.panels(
              Phase.WHOLE,
              merging.outputTokens(),
              merging.mergedDim(),
              merging.outputDim(),
              merging.mergedDim());
      return null;
    }

    @Override
    public Void norm(Norm norm) {
      add(null, norm.tokens());
      around = norms(norm.tokens(), norm.dim());
      return null;
    }

    @Override
    public Void meanPooling(MeanPooling pooling) {
      add(null, pooling.tokens());
      all.add(one(sums(pooling.pooledTokens(), pooling.dim())));
      return null;
    }

    @Override
    public Void attentionPooling(AttentionPooling pooling) {
      int dim = pooling.dim();
      add(
          PhaseWork.panels(Phase.BEGIN, pooling.tokens(), dim, (long) dim + pooling.heads(), dim),
          pooling.tokens());
      last = (begin, rows) -> block(attention(pooling), dim, pooling.hidden(), false, 0, begin);
      return null;
    }

    @Override
    public Void head(Head head) {
      add(null, head.readTokens());
      if (!head.normed()) {
        all.add(one(new PhaseWork(Phase.WHOLE, 1, 1, 1, 0, head.dim(), 0, 0, 0)));
      } else if (head.pooled()) {
        poolHead(head);
      } else {
        for (int i = 0; i < head.classifiers().size(); i++) {
          all.add(one(PhaseWork.panels(Phase.WHOLE, 1, head.dim(), head.classes(), head.dim())));
        }
      }
      return null;
    }

    /** Every part of the classifier adds the codes up again, each in a quarter of a norm's time. */
    private void poolHead(Head head) {
      all.add(one(norms(head.pooledTokens(), head.dim())));
      long added = (long) head.dim() * head.pooledTokens() / 4;
      all.add(
          one(
              head.classifiers().isEmpty()
                  ? sums(head.pooledTokens(), head.dim())
                  : PhaseWork.panels(Phase.WHOLE, 1, head.dim(), head.classes(), added)));
    }
  }
}
