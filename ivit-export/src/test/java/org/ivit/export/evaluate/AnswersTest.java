package org.ivit.export.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.core.testing.ObservedModel;
import org.ivit.export.features.Features;
import org.ivit.export.model.IntegerModel;
import org.ivit.export.model.Logits;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class AnswersTest {
  private static final IntegerGraph GRAPH = ObservedModel.small();
  private static final int IMAGE = GRAPH.architecture().image().side();

  private static Model model(int threads) {
    List<String> names = new ArrayList<>();
    for (int c = 0; c < GRAPH.architecture().classes(); c++) {
      names.add("class " + c);
    }
    return new IntegerModel(
        new ModelIdentity("memory", "", "", "integer", GRAPH.architecture().name()),
        new IntegerCheckpoint(GRAPH, Preprocess.half(IMAGE, IMAGE), names, Provenance.UNKNOWN),
        EngineConfig.standard().withThreads(threads));
  }

  /** Pictures of several sizes, and how many of them were asked for. */
  private static final class Pictures implements Dataset {
    private final int size;
    private final int corrupt;
    final AtomicInteger asked = new AtomicInteger();

    Pictures(int size, int corrupt) {
      this.size = size;
      this.corrupt = corrupt;
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public List<String> classNames() {
      return List.of("one");
    }

    @Override
    public String name(int i) {
      return "p" + i;
    }

    @Override
    public int label(int i) {
      return i;
    }

    @Override
    public Rgb picture(int i) {
      asked.incrementAndGet();
      if (i == corrupt) {
        throw new InputException("p" + i + ": corrupt picture: torn");
      }
      int width = IMAGE + i % 4;
      int height = IMAGE + i % 3;
      byte[] data = new byte[3 * width * height];
      new Random(i).nextBytes(data);
      return new Rgb(width, height, data);
    }
  }

  private static Answers answers(Dataset data, OnCorrupt onCorrupt, int batch, int threads) {
    AtomicInteger done = new AtomicInteger();
    try (Model model = model(threads)) {
      Answers answers = Answers.of(model, data, onCorrupt, batch, threads, done::addAndGet);
      assertThat(done).hasValue(data.size());
      return answers;
    }
  }

  @Test
  void batchesAndThreadsChangeNoAnswerAndNoOrder() {
    int[] expected = answers(new Pictures(23, -1), OnCorrupt.FAIL, 1, 1).logits().codes();
    for (int threads : new int[] {1, 2, 5}) {
      for (int batch : new int[] {1, 2, 7, 16, 40}) {
        Answers answers = answers(new Pictures(23, -1), OnCorrupt.FAIL, batch, threads);
        assertThat(answers.logits().codes())
            .as("batch %d, %d threads", batch, threads)
            .isEqualTo(expected);
        assertThat(answers.labels()).isSorted().hasSize(23);
      }
    }
  }

  @Test
  void aCorruptPictureEndsItOrIsLeftOut() {
    assertThatThrownBy(() -> answers(new Pictures(23, 9), OnCorrupt.FAIL, 4, 2))
        .isInstanceOf(InputException.class)
        .hasMessage("p9: corrupt picture: torn");
    Answers answers = answers(new Pictures(23, 9), OnCorrupt.SKIP, 4, 2);
    assertThat(answers.names()).hasSize(22).doesNotContain("p9");
    assertThat(answers.skipped())
        .containsExactly(new PictureBatches.Skipped("p9", "p9: corrupt picture: torn"));
  }

  @Test
  @Timeout(60)
  void picturesAreDecodedWhileTheModelAnswersButOnlySoManyAhead() {
    int batch = 3;
    Pictures data = new Pictures(40, -1);
    AtomicInteger answered = new AtomicInteger();
    List<Integer> ahead = new ArrayList<>();
    try (Model model =
        new Watched(
            model(2),
            () -> {
              int all = Math.min(40, answered.addAndGet(batch) + 2 * batch);
              // The loader goes on by itself until as many wait as may.
              while (data.asked.get() < all) {
                Thread.onSpinWait();
              }
              ahead.add(data.asked.get() - answered.get());
            })) {
      Answers.of(model, data, OnCorrupt.FAIL, batch, 2, n -> {});
    }
    assertThat(ahead).hasSize(14).allMatch(n -> n <= 2 * batch + 1);
  }

  /** A model that says when it is asked. */
  private record Watched(Model model, Runnable asked) implements Model {
    @Override
    public Features features(List<Rgb> pictures) {
      asked.run();
      return model.features(pictures);
    }

    @Override
    public Logits logits(List<Rgb> pictures) {
      asked.run();
      return model.logits(pictures);
    }

    @Override
    public ModelIdentity identity() {
      return model.identity();
    }

    @Override
    public Architecture architecture() {
      return model.architecture();
    }

    @Override
    public String engine() {
      return model.engine();
    }

    @Override
    public Backend backend() {
      return model.backend();
    }

    @Override
    public Preprocess preprocess() {
      return model.preprocess();
    }

    @Override
    public ClassNames classes() {
      return model.classes();
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
