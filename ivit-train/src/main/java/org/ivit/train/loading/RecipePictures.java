package org.ivit.train.loading;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.ProceduralPictures;
import org.ivit.core.dataset.Subset;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Preprocess;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.recipe.Calibration;
import org.ivit.train.recipe.Data;
import org.ivit.train.recipe.Pictures;
import org.ivit.train.recipe.Recipe;

/** Opens the sets of pictures that a recipe names. */
public final class RecipePictures {
  private RecipePictures() {}

  /**
   * Opens a set.
   *
   * @param pictures where it is and which part of it
   * @param recipe gives the class list
   * @param architecture the class counts must match, where it answers with classes
   * @throws InputException if it cannot be opened or has another number of classes
   */
  public static Dataset open(Pictures pictures, Recipe recipe, Architecture architecture) {
    Data data = recipe.data();
    ClassList classes = data.classes() == null ? null : ClassList.read(data.classes());
    Dataset all;
    if (pictures.procedural() != null) {
      Pictures.Procedural set = pictures.procedural();
      all =
          new ProceduralPictures(
              set.seed(), 0, set.pictures(), set.size(), ProceduralPictures.Strengths.DEFAULT);
    } else {
      all = Datasets.open(pictures.path(), classes, pictures.labels());
    }
    if (all.classes() != labelled(all, architecture)) {
      throw new InputException(
          "%s: found %s classes, expected %s as %s has%s"
              .formatted(
                  pictures.path(),
                  all.classes(),
                  labelled(all, architecture),
                  architecture.name(),
                  (classes == null ? " (data.classes names a file with their order)" : "")));
    }
    return part(pictures, all);
  }

  /**
   * How many classes labels count: the model's, or any where it answers with features.
   *
   * @param set the pictures
   */
  public static int labelled(Dataset set, Architecture architecture) {
    return architecture.answer() == Answer.CLASSES ? architecture.classes() : set.classes();
  }

  /**
   * Refuses validation by labels that mean other classes than those of training. Labels that are
   * mere numbers fit any classes.
   *
   * @throws InputException naming the first class that differs
   */
  public static void requireSameClasses(Dataset training, Dataset validation) {
    if (ClassList.sameClasses(training, validation)) {
      return;
    }
    List<String> expected = training.classIds();
    List<String> found = validation.classIds();
    int first = 0;
    while (expected.get(first).equals(found.get(first))) {
      first++;
    }
    throw new InputException(
        "data.validation: found '"
            + found.get(first)
            + "' as class "
            + first
            + " counted from 0, expected '"
            + expected.get(first)
            + "' as in data.train (data.classes names a file with their order)");
  }

  /**
   * The pictures of a set that a recipe selects.
   *
   * @param pictures which
   * @param all the set
   * @throws InputException if there are none
   */
  public static Dataset part(Pictures pictures, Dataset all) {
    Dataset set = all;
    if (pictures.every() > 0) {
      set = Subset.where(set, i -> i % pictures.every() == 0);
    }
    if (pictures.exceptEvery() > 0) {
      set = Subset.where(set, i -> i % pictures.exceptEvery() != 0);
    }
    if (pictures.limit() > 0 && pictures.limit() < set.size()) {
      int size = set.size();
      boolean[] taken = new boolean[size];
      for (int i = 0; i < pictures.limit(); i++) {
        taken[(int) ((long) i * size / pictures.limit())] = true;
      }
      set = Subset.where(set, i -> taken[i]);
    }
    if (set.size() == 0) {
      throw new InputException(pictures.path() + ": found no pictures that the recipe selects");
    }
    return set;
  }

  /** Which pictures of the set calibrate, in order. */
  public static int[] calibrationOrder(Calibration calibration, int size, long seed) {
    return calibrationOrder(calibration.select(), calibration.pictures(), size, seed);
  }

  /**
   * Which pictures are taken.
   *
   * @param select by which rule
   * @param pictures how many; all where there are fewer
   * @param size of the set
   * @param seed of the run
   * @return their numbers
   */
  public static int[] calibrationOrder(
      Calibration.Select select, int pictures, int size, long seed) {
    int count = Math.min(pictures, size);
    return switch (select) {
      case FIRST -> IntStream.range(0, count).toArray();
      case SPREAD -> IntStream.range(0, count).map(i -> (int) ((long) i * size / count)).toArray();
      case RANDOM -> IntStream.of(EpochOrder.shuffled(size, seed, -1)).limit(count).toArray();
    };
  }

  /** The evaluation transform of a recipe. */
  public static Preprocess preprocess(Recipe recipe, Architecture architecture) {
    Data.Preprocessing p = recipe.data().preprocessing();
    Size resize = p.resize();
    if (resize.longer() == 0) {
      resize =
          p.cropMode() == CropMode.SQUASH
              ? architecture.image()
              : PretrainedPreprocess.resize(architecture.image());
    }
    return new Preprocess(
        resize,
        architecture.image(),
        p.interpolation(),
        p.cropMode(),
        floats(p.mean()),
        floats(p.std()));
  }

  private static float[] floats(List<Double> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i).floatValue();
    }
    return floats;
  }

  public static OnCorrupt onCorrupt(Recipe recipe) {
    return switch (recipe.data().onCorrupt()) {
      case SKIP -> OnCorrupt.SKIP;
      case FATAL -> OnCorrupt.FAIL;
    };
  }
}
