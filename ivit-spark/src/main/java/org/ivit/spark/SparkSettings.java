package org.ivit.spark;

import java.io.File;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;

/**
 * The configuration of a context. Whatever the user sets, as system properties {@code spark.*} or
 * in {@code spark-submit}, stays.
 */
final class SparkSettings {
  /** System property: the jars that executors need, as a class path. */
  static final String JARS = "ivit.spark.jars";

  private SparkSettings() {}

  static SparkConf of(Master master) {
    SparkConf conf = new SparkConf().setMaster(master.url());
    conf.setIfMissing("spark.app.name", "ivit");
    conf.setIfMissing("spark.ui.enabled", "false");
    // A step's gradient is one result, of any size.
    conf.setIfMissing("spark.driver.maxResultSize", "0");
    // A step needs as many slots as there are executors: it waits two minutes for them.
    conf.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "5s");
    conf.setIfMissing("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "24");
    oneTaskAnExecutor(conf, master);
    classPath(conf, master);
    properties(conf);
    return conf;
  }

  /** A task is one network with threads of its own. */
  private static void oneTaskAnExecutor(SparkConf conf, Master master) {
    if (master.isLocalCluster()) {
      conf.setIfMissing("spark.task.cpus", Integer.toString(master.cores()));
      conf.setIfMissing("spark.executor.memory", master.megabytes() + "m");
    } else if (conf.contains("spark.executor.cores")) {
      conf.setIfMissing("spark.task.cpus", conf.get("spark.executor.cores"));
    }
  }

  private static void classPath(SparkConf conf, Master master) {
    String jars = System.getProperty(JARS, "");
    if (master.isLocalCluster()) {
      conf.setIfMissing("spark.executor.extraClassPath", System.getProperty("java.class.path"));
    } else if (!jars.isBlank() && master.executors() > 0) {
      conf.setIfMissing(
          "spark.jars", Stream.of(jars.split(File.pathSeparator)).collect(Collectors.joining(",")));
    }
  }

  /** Executors compute as this process is told to. */
  private static void properties(SparkConf conf) {
    StringBuilder options = new StringBuilder(conf.get("spark.executor.extraJavaOptions", ""));
    for (String name : new TreeSet<>(System.getProperties().stringPropertyNames())) {
      String value = System.getProperty(name);
      boolean own = name.startsWith("ivit.") && !name.equals(JARS) && !name.equals("ivit.terminal");
      if (own && !value.isBlank() && value.indexOf(' ') < 0) {
        options.append(" -D").append(name).append('=').append(value);
      }
    }
    if (!options.toString().isBlank()) {
      conf.set("spark.executor.extraJavaOptions", options.toString().strip());
    }
  }
}
