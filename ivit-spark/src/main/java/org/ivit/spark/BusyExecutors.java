package org.ivit.spark;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/** Which executors have tasks, and which were sent away. */
final class BusyExecutors extends SparkListener {
  private final Map<String, Integer> tasks = new HashMap<>();
  private final Set<String> sentAway = new HashSet<>();

  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart start) {
    tasks.merge(start.taskInfo().executorId(), 1, Integer::sum);
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    tasks.computeIfPresent(end.taskInfo().executorId(), (id, n) -> n > 1 ? n - 1 : null);
  }

  @Override
  public synchronized void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
    tasks.remove(removed.executorId());
  }

  /** Executors that have a task. */
  synchronized List<String> busy() {
    return List.copyOf(tasks.keySet());
  }

  /** Executors were told to go. Spark lists them until they have gone, and uses no name twice. */
  synchronized void leave(Collection<String> executors) {
    sentAway.addAll(executors);
  }

  /** How many of these were not told to go. */
  synchronized int staying(Collection<String> executors) {
    return (int) executors.stream().filter(id -> !sentAway.contains(id)).count();
  }
}
