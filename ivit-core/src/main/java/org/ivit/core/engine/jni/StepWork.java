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

  private static final class Steps implements PartVisitor<Void> {
    final List<StepWork> all = new ArrayList<>();

    /** What waits for the block after it, whose beginning belongs to it; null after one. */
    private PhaseWork around;

    private Block last;

    /** Adds what waits, with its end. */
    private void add(PhaseWork begin, int rows) {
      if (last != null) {
        all.add(block(last, begin, rows));
      } else if (around != null) {
        all.add(one(around.with(Phase.WHOLE, begin)));
      }
      last = null;
      around = null;
    }

    private static StepWork one(PhaseWork work) {
      return new StepWork(List.of(List.of(work)));
    }

    private static StepWork block(Block block, PhaseWork begin, int rows) {
      PhaseWork attend = attention(block, rows);
      PhaseWork project = PhaseWork.panels(Phase.PROJECT, rows, block.dim(), block.dim(), 0);
      PhaseWork expand =
          PhaseWork.panels(Phase.EXPAND, rows, block.dim(), block.hidden(), block.dim());
      PhaseWork contract = PhaseWork.panels(Phase.CONTRACT, rows, block.hidden(), block.dim(), 0);
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
      add(
          PhaseWork.panels(Phase.BEGIN, next.tokens(), next.dim(), 3L * next.dim(), next.dim()),
          next.tokens());
      last = next;
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
      throw new UnsupportedOperationException("Norm");
    }

    @Override
    public Void meanPooling(MeanPooling pooling) {
      throw new UnsupportedOperationException("MeanPooling");
    }

    @Override
    public Void attentionPooling(AttentionPooling pooling) {
      throw new UnsupportedOperationException("AttentionPooling");
    }

    @Override
    public Void head(Head head) {
      add(null, head.readTokens());
      long normed = (long) head.dim() * (head.pooled() ? head.tokens() : 1);
      for (int i = 0; i < head.classifiers().size(); i++) {
        all.add(one(PhaseWork.panels(Phase.WHOLE, 1, head.dim(), head.classes(), normed)));
      }
      return null;
    }
  }
}
