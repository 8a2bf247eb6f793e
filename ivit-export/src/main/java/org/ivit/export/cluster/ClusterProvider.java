package org.ivit.export.cluster;

/** Opens clusters of a kind; implementations are found by {@link java.util.ServiceLoader}. */
public interface ClusterProvider {
  /** The option that asks for it, without dashes. */
  String name();

  /**
   * Connects to a cluster.
   *
   * @param master what the option says
   * @throws org.ivit.core.InputException if there is none, or if it cannot be used from here
   */
  Cluster open(String master);
}
