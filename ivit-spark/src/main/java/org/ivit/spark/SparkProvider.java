package org.ivit.spark;

import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.ClusterProvider;

/** Opens Apache Spark clusters. */
public final class SparkProvider implements ClusterProvider {
  @Override
  public String name() {
    return "spark";
  }

  @Override
  public Cluster open(String master) {
    return SparkCluster.open(master);
  }
}
