package org.ivit.export.cluster;

import java.util.ServiceLoader;
import org.ivit.core.InputException;

/** Finds clusters. */
public final class Clusters {
  private Clusters() {}

  /**
   * Connects to an Apache Spark cluster.
   *
   * @param master Spark's URL of it
   * @throws InputException if the module {@code ivit-spark} is not on the class path, or if the
   *     cluster cannot be used
   */
  public static Cluster spark(String master) {
    for (ClusterProvider provider : ServiceLoader.load(ClusterProvider.class)) {
      if (provider.name().equals("spark")) {
        return provider.open(master);
      }
    }
    throw new InputException(
        "--spark: found no module ivit-spark on the class path, expected the command"
            + " scripts/ivit-spark in place of scripts/ivit");
  }
}
