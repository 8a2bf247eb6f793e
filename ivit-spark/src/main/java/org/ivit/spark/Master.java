package org.ivit.spark;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a master's URL says of its executors.
 *
 * @param url as the user gave it
 * @param executors how many to wait for; 0 where work is done in this process
 * @param cores of an executor, 0 where the URL does not say
 * @param megabytes of an executor, 0 where the URL does not say
 */
record Master(String url, int executors, int cores, int megabytes) {
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*(\\d{1,6})\\s*,\\s*(\\d{1,6})\\s*,\\s*(\\d{1,8})\\s*]");

  static Master of(String url) {
    Matcher m = LOCAL_CLUSTER.matcher(url);
    if (m.matches()) {
      return new Master(
          url,
          Integer.parseInt(m.group(1)),
          Integer.parseInt(m.group(2)),
          Integer.parseInt(m.group(3)));
    }
    return new Master(url, url.startsWith("local") ? 0 : 1, 0, 0);
  }

  /** Whether executors are processes on this machine, with this class path. */
  boolean isLocalCluster() {
    return cores > 0;
  }
}
