package org.ivit.spark;

import java.util.Set;
import org.ivit.core.InputException;

/** The Java versions that Spark 4.0 runs on. */
public final class JavaVersion {
  private static final Set<Integer> SUPPORTED = Set.of(17, 21);

  private JavaVersion() {}

  /**
   * @param where in whose name to complain
   * @throws InputException if this process is of another version
   */
  public static void require(String where) {
    require(where, Runtime.version().feature());
  }

  static void require(String where, int feature) {
    if (!SUPPORTED.contains(feature)) {
      throw new InputException(
          where + ": found Java " + feature + ", expected 17 or 21, which Spark 4.0 runs on");
    }
  }
}
