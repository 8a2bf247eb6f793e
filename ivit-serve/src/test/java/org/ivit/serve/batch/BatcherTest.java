package org.ivit.serve.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.ivit.serve.FakeRunner;
import org.ivit.serve.model.Answer;
import org.ivit.serve.model.Input;
import org.ivit.serve.model.ModelDescription;
import org.ivit.serve.model.Runner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatcherTest {
  private final FakeRunner runner = new FakeRunner(new Echo());
  private final List<Integer> heard = new CopyOnWriteArrayList<>();
  private Batcher batcher;

  /** Answers with the first number of its input. */
  private static final class Echo implements Runner {
    @Override
    public ModelDescription description() {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<Answer> run(List<Input> inputs) {
      return inputs.stream()
          .map(input -> (int) ((Input.Normalised) input).values()[0])
          .map(value -> Answer.ofCodes(new int[] {value}, 1))
          .toList();
    }

    @Override
    public void close() {}
  }

  private void open(int most, Duration wait) {
    open(most, wait, Runnable::run);
  }

  private void open(int most, Duration wait, Executor executor) {
    batcher =
        new Batcher("test", runner, most, wait, (pictures, nanos) -> heard.add(pictures), executor);
  }

  @AfterEach
  void close() {
    runner.let(1000);
    batcher.close();
    assertThat(runner.closed()).isTrue();
  }

  private Job submit(int value) {
    return batcher.submit(new Input.Normalised(new float[] {value}));
  }

  private List<Job> submit(int from, int to) {
    List<Job> jobs = new ArrayList<>();
    for (int i = from; i < to; i++) {
      jobs.add(submit(i));
    }
    return jobs;
  }

  private static Outcome outcome(Job job) throws Exception {
    return job.outcome().get(30, TimeUnit.SECONDS);
  }

  private static int answer(Job job) throws Exception {
    return outcome(job).answer().codes()[0];
  }

  private void awaitBatches(int count) throws InterruptedException {
    while (runner.batches().size() < count) {
      Thread.sleep(1);
    }
  }

  @Test
  void whatComesWhileTheModelIsBusyIsOneBatch() throws Exception {
    open(4, Duration.ZERO);
    Job first = submit(0);
    awaitBatches(1);
    List<Job> others = submit(1, 8);
    runner.let(3);
    assertThat(answer(first)).isZero();
    for (int i = 0; i < others.size(); i++) {
      assertThat(answer(others.get(i))).isEqualTo(i + 1);
      assertThat(outcome(others.get(i)).batch()).isEqualTo(i < 4 ? 4 : 3);
    }
    assertThat(runner.batches()).containsExactly(1, 4, 3);
    assertThat(outcome(first).batch()).isEqualTo(1);
    batcher.close();
    assertThat(heard).containsExactly(1, 4, 3);
  }

  @Test
  void theNextBatchDoesNotWaitForWhatHangsOnThisOne() throws Exception {
    List<Runnable> tasks = new CopyOnWriteArrayList<>();
    open(1, Duration.ZERO, tasks::add);
    List<Job> jobs = submit(0, 2);
    runner.let(1);
    awaitBatches(2);
    assertThat(jobs.get(0).outcome()).isNotDone();
    tasks.forEach(Runnable::run);
    assertThat(answer(jobs.get(0))).isZero();
  }

  @Test
  void aModelThatRunsTwoBatchesAtOnceHasTwo() throws Exception {
    runner.atOnce(2);
    open(2, Duration.ofHours(1));
    List<Job> jobs = submit(0, 8);
    awaitBatches(2);
    assertThat(jobs.subList(0, 4)).allMatch(Job::begun);
    assertThat(jobs.subList(4, 8)).noneMatch(Job::begun);
    runner.let(4);
    for (int i = 0; i < jobs.size(); i++) {
      assertThat(answer(jobs.get(i))).isEqualTo(i);
    }
    assertThat(runner.batches()).containsExactly(2, 2, 2, 2);
  }

  @Test
  void outcomesAreToldWhereTheExecutorRefuses() throws Exception {
    open(
        1,
        Duration.ZERO,
        task -> {
          throw new RejectedExecutionException();
        });
    runner.let(1);
    assertThat(answer(submit(3))).isEqualTo(3);
  }

  @Test
  void aFullBatchDoesNotWait() throws Exception {
    open(3, Duration.ofHours(1));
    runner.let(1);
    for (Job job : submit(0, 3)) {
      assertThat(outcome(job).batch()).isEqualTo(3);
    }
  }

  @Test
  void thatWhichIsNotFullWaitsNoLongerThanItMay() throws Exception {
    open(3, Duration.ofMillis(20));
    runner.let(1);
    Outcome outcome = outcome(submit(5));
    assertThat(outcome.batch()).isEqualTo(1);
    assertThat(outcome.waitNanos()).isGreaterThanOrEqualTo(20_000_000);
  }

  @Test
  void whatWasCancelledIsNotRun() throws Exception {
    open(4, Duration.ZERO);
    Job first = submit(0);
    awaitBatches(1);
    List<Job> others = submit(1, 4);
    others.get(1).cancel();
    first.cancel();
    runner.let(2);
    assertThat(answer(first)).isZero();
    assertThat(answer(others.get(2))).isEqualTo(3);
    assertThat(runner.batches()).containsExactly(1, 2);
    assertThat(others.get(1).begun()).isFalse();
    assertThat(others.get(1).outcome()).isNotDone();
  }

  @Test
  void aFailureIsThatOfItsBatchAlone() throws Exception {
    open(2, Duration.ZERO);
    runner.fail(new IllegalStateException("broken"));
    runner.let(1);
    Job job = submit(1);
    assertThatThrownBy(job.outcome()::join)
        .isInstanceOf(CompletionException.class)
        .hasRootCauseMessage("broken");
    runner.fail(null);
    runner.let(1);
    assertThat(answer(submit(2))).isEqualTo(2);
    batcher.close();
    assertThat(heard).containsExactly(1);
  }

  @Test
  void inAHurryNothingWaitsForMore() throws Exception {
    open(3, Duration.ofHours(1));
    runner.let(2);
    Job waiting = submit(1);
    batcher.hurry();
    assertThat(answer(waiting)).isEqualTo(1);
    assertThat(answer(submit(2))).isEqualTo(2);
  }

  @Test
  void closingAnswersWhatWasSubmitted() throws Exception {
    open(2, Duration.ofHours(1));
    List<Job> jobs = submit(0, 5);
    runner.let(3);
    batcher.close();
    for (int i = 0; i < 5; i++) {
      assertThat(answer(jobs.get(i))).isEqualTo(i);
    }
    assertThat(runner.batches()).containsExactly(2, 2, 1);
    assertThatThrownBy(() -> submit(9)).hasMessage("the model is closed");
  }
}
