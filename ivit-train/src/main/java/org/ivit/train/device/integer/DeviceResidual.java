package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Residual;
import org.ivit.train.device.pass.BranchDrop;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;

/** Residual addition with stochastic depth on the device. */
final class DeviceResidual {
  private final String name;
  private final BranchDrop drop;
  private Residual kept;
  private double branchScale;
  private double identityScale;
  private int extremes;

  private static final class ObservedResidualArguments extends Structure {
    private final Field<Long> branch = address();
    private final Field<Long> identity = address();
    private final Field<Long> out = address();
    private final Field<Long> factors = address();
    private final Field<Long> extremes = address();
    private final Field<Dyadic> branchMultiplier = dyadic();
    private final Field<Dyadic> identityMultiplier = dyadic();
    private final Field<Double> branchScale = float64();
    private final Field<Double> identityScale = float64();
    private final Field<Long> pictures = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Integer> size = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param name full node name
   * @param size codes of a picture
   */
  DeviceResidual(String name, DropPath drop, int size) {
    this.name = name;
    this.drop = new BranchDrop(drop, size);
  }

  /** Takes the scales of this step: a kept branch is worth 1/(1−p) of its own. */
  void prepare(Pass pass, float branch, float identity, float outputScale) {
    Residual node = Residual.of(name, branch, identity, outputScale);
    DropPath path = drop.path();
    kept =
        path.rate() == 0
            ? node
            : new Residual(
                name,
                Dyadic.of(name, Dyadic.ratio(branch, outputScale) * path.factor()),
                node.identity(),
                outputScale);
    branchScale = branch * path.factor();
    identityScale = identity;
    extremes = pass.extremes();
  }

  /** Draws which pictures of the micro-batch keep the branch. */
  void draw(Pass pass) {
    drop.draw(pass);
  }

  /**
   * @param branch address of 16-bit codes
   * @param identity address of 16-bit codes
   * @param out receives 16-bit codes
   */
  void forward(Pass pass, long branch, long identity, int pictures, long out) {
    ObservedResidualArguments a = new ObservedResidualArguments();
    a.branch.set(branch);
    a.identity.set(identity);
    a.out.set(out);
    a.factors.set(drop.factors(pass));
    a.extremes.set(pass.observed(extremes));
    a.branchMultiplier.set(kept.branch());
    a.identityMultiplier.set(kept.identity());
    a.branchScale.set(branchScale);
    a.identityScale.set(identityScale);
    a.pictures.set((long) pictures);
    a.ofSize.set(Divisor.of(drop.size()));
    a.size.set(drop.size());
    long count = (long) pictures * drop.size();
    pass.each("residual_observed", count, Pass.EXTREMES_BYTES, a);
  }

  /** As {@link BranchDrop#gradient}. */
  long branchGradient(Pass pass, long g, int pictures) {
    return drop.gradient(pass, g, pictures);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    pass.include(seen, name, extremes, 1);
  }
}
