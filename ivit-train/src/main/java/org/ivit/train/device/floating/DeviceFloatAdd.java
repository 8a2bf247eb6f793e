package org.ivit.train.device.floating;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.BranchDrop;
import org.ivit.train.device.pass.Pass;

/** Sums of the float network on the device. */
final class DeviceFloatAdd {
  private static final class AddArguments extends Structure {
    private final Field<Long> identity = address();
    private final Field<Long> branch = address();
    private final Field<Long> to = address();
    private final Field<Long> factors = address();
    private final Field<Long> pictures = int64();
    private final Field<Divisor> ofSize = divisor();
    private final Field<Integer> size = int32();
    private final Field<Integer> unused = unused();
  }

  private DeviceFloatAdd() {}

  /**
   * @param a address of {@code count} numbers
   * @param b address of as many
   * @param to receives their sums; may be a or b
   */
  static void run(Pass pass, long a, long b, long to, long count) {
    run(pass, a, b, to, 0, count, 1);
  }

  /**
   * A residual addition.
   *
   * @param identity address of the numbers of all pictures
   * @param branch address of as many, some of them dropped
   * @param to receives as many
   */
  static void residual(
      Pass pass, BranchDrop drop, long identity, long branch, long to, int pictures) {
    run(pass, identity, branch, to, drop.factors(pass), pictures, drop.size());
  }

  private static void run(
      Pass pass, long identity, long branch, long to, long factors, long pictures, int size) {
    AddArguments a = new AddArguments();
    a.identity.set(identity);
    a.branch.set(branch);
    a.to.set(to);
    a.factors.set(factors);
    a.pictures.set(pictures);
    a.ofSize.set(Divisor.of(size));
    a.size.set(size);
    pass.each("add_branch", pictures * size, 0, a);
  }
}
