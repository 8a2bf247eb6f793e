package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.ivit.core.Size;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.cuda.Emulator;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.Erasure;
import org.ivit.train.augment.Mix;
import org.ivit.train.augment.MixPlan;
import org.ivit.train.augment.NormalisedPictures;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.augment.PlannedPictures;
import org.ivit.train.augment.TrainingPicture;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.memory.TrainingKernels;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.recipe.Augmentation;
import org.ivit.train.recipe.Augmentation.Fill;
import org.ivit.train.recipe.Augmentation.MixupMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that a device prepares, beside those of the loader on the processor. */
class DevicePicturesTest {
  private static final String DRIVER = "ivit.cuda.driver";
  private static final int EPOCH = 2;

  /** How a test sets up the driver. */
  interface Fake extends Library {
    void fake_driver_set(int version, int devices, int capability, String failing);

    void fake_driver_early(int early);

    int fake_driver_live();
  }

  /** What is done with pictures. */
  record Case(int size, int pictures, double mixup, double cutmix, MixupMode mode, Fill fill) {
    Augmentation augmentation() {
      return new Augmentation(
          null,
          0,
          0.5,
          null,
          new Augmentation.ColorJitter(0.4, 0.4, 0.4),
          mixup,
          cutmix,
          0.9,
          0.5,
          mode,
          0,
          0.1,
          new Augmentation.RandomErasing(0.7, fill, 4, 1));
    }

    Preprocess preprocess() {
      return new Preprocess(
          size,
          size,
          Interpolation.BILINEAR,
          new float[] {0.485f, 0.456f, 0.406f},
          new float[] {0.229f, 0.224f, 0.225f});
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    int[] sizes = {1, 2, 7, 16, 33};
    int i = 0;
    for (MixupMode mode : MixupMode.values()) {
      for (Fill fill : Fill.values()) {
        cases.add(new Case(sizes[i % 5], 1 + i, 0.8, 1, mode, fill));
        cases.add(new Case(sizes[(i + 2) % 5], 6 - i % 3, i % 2, 1 - i % 2, mode, fill));
        i++;
      }
    }
    cases.add(new Case(40, 3, 0, 0, MixupMode.BATCH, Fill.PIXEL));
    return cases.stream();
  }

  @AfterEach
  void unload() {
    System.clearProperty(DRIVER);
  }

  /** Every value of a byte, in every channel. */
  private static Rgb picture(Random random, int size) {
    byte[] data = new byte[3 * size * size];
    random.nextBytes(data);
    return new Rgb(size, size, data);
  }

  /** A batch with its pixels as the loader's threads and the mixer make them. */
  private record Pair(PlannedPictures batch, float[] expected) {
    static Pair of(Case c, int step) {
      TrainingTransform transform = new TrainingTransform(c.augmentation(), c.preprocess(), 3);
      BatchMixer mixer = new BatchMixer(c.augmentation(), 5, 3);
      Random random = new Random(step);
      int length = 3 * c.size() * c.size();
      float[] expected = new float[c.pictures() * length];
      List<TrainingPicture> pictures = new ArrayList<>();
      for (int i = 0; i < c.pictures(); i++) {
        Rgb picture = picture(random, c.size());
        float[] pixels = transform.apply(picture, EPOCH, 10 * step + i);
        System.arraycopy(pixels, 0, expected, i * length, length);
        pictures.add(transform.plan(picture, EPOCH, 10 * step + i));
      }
      int[] labels = new int[c.pictures()];
      float[] targets = mixer.mix(expected, labels, Size.of(c.size()), EPOCH, step);
      var plan = mixer.plan(c.pictures(), Size.of(c.size()), EPOCH, step);
      assertThat(mixer.targets(labels, plan)).isEqualTo(targets);
      return new Pair(new PlannedPictures(pictures, transform.normalisation(), plan), expected);
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static int[] read(Device device, long from, int count) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
    device.read(bytes, from);
    int[] found = new int[count];
    bytes.asIntBuffer().get(found);
    return found;
  }

  private static void check(Device device, DevicePictures pictures, Pair pair) {
    long address = pictures.pixels(pair.batch());
    assertThat(read(device, address, pair.expected().length)).isEqualTo(bits(pair.expected()));
  }

  private static Pass pass(Device device) {
    return new Pass(device, 0, 0, ProductPrecision.FLOAT32, null, false);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsTheProcessorInEveryBit(Case c) {
    EmulatedDevice device = new EmulatedDevice(2, 99_000);
    try (Pass pass = pass(device);
        DevicePictures pictures = new DevicePictures(pass)) {
      Pair ahead = Pair.of(c, 0);
      for (int step = 1; step < 7; step++) {
        Pair now = ahead;
        assertThat(bits(now.batch().pixels())).isEqualTo(bits(now.expected()));
        ahead = Pair.of(c, step);
        check(device, pictures, now);
        if (step % 3 != 0) {
          pictures.stage(ahead.batch());
        }
      }
    }
    assertThat(device.live()).isZero();
  }

  @Test
  void picturesNeedNotBeSquares() {
    Case c = new Case(8, 3, 0, 0, MixupMode.BATCH, Fill.PIXEL);
    TrainingTransform transform = new TrainingTransform(c.augmentation(), c.preprocess(), 3);
    Random random = new Random(5);
    List<TrainingPicture> pictures = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      byte[] data = new byte[3 * 7 * 12];
      random.nextBytes(data);
      float[] values = {i, -i, 2, 3, -4, 5, 6, -7, 8, 1, 2, 3, 4, 5, 6, -9, 8, 7};
      Erasure erasure = new Erasure(4 - i, 9, 2, 3, values);
      pictures.add(new TrainingPicture(new Rgb(12, 7, data), List.of(erasure)));
    }
    MixPlan plan =
        new MixPlan(
            List.of(
                new Mix(0.5, false, 1, 6, 3, 12),
                new Mix(0.3, true, 0, 0, 0, 0),
                new Mix(0.8, false, 0, 7, 10, 11)));
    PlannedPictures batch = new PlannedPictures(pictures, transform.normalisation(), plan);
    EmulatedDevice device = new EmulatedDevice(2, 99_000);
    try (Pass pass = pass(device);
        DevicePictures prepared = new DevicePictures(pass)) {
      check(device, prepared, new Pair(batch, batch.pixels()));
    }
  }

  @Test
  void everyByteNormalisesToTheSameBits() {
    Case c = new Case(16, 2, 0, 0, MixupMode.BATCH, Fill.CONST);
    TrainingTransform transform = new TrainingTransform(c.augmentation(), c.preprocess(), 3);
    byte[] data = new byte[3 * 256];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i / 3);
    }
    TrainingPicture picture = new TrainingPicture(new Rgb(16, 16, data), List.of());
    var plan = new BatchMixer(c.augmentation(), 5, 3).plan(1, Size.of(16), 0, 0);
    PlannedPictures batch = new PlannedPictures(List.of(picture), transform.normalisation(), plan);
    EmulatedDevice device = new EmulatedDevice(1, 99_000);
    try (Pass pass = pass(device);
        DevicePictures pictures = new DevicePictures(pass)) {
      check(device, pictures, new Pair(batch, transform.normalisation().apply(picture.bytes())));
    }
  }

  @Test
  void normalisedPicturesAreTakenAsTheyAre() {
    float[] pixels = {1, -2, 3.5f};
    EmulatedDevice device = new EmulatedDevice(1, 99_000);
    try (Pass pass = pass(device);
        DevicePictures pictures = new DevicePictures(pass)) {
      PictureBatch batch = new NormalisedPictures(pixels);
      pictures.stage(batch);
      pictures.stage(null);
      assertThat(read(device, pictures.pixels(batch), 3)).isEqualTo(bits(pixels));
    }
    assertThat(device.live()).isZero();
  }

  /**
   * Nothing is read back before all is launched, and no buffer grows, so that only events keep the
   * order.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void copiesWaitForLaunchesAndLaunchesForCopies(int early) {
    Emulator.load();
    String library = System.getProperty("ivit.cuda.emulator");
    Fake fake = Native.load(library, Fake.class);
    fake.fake_driver_set(13000, 1, 90, "");
    fake.fake_driver_early(early);
    System.setProperty(DRIVER, library);
    int before = fake.fake_driver_live();
    List<Pair> pairs = new ArrayList<>();
    for (int step = 0; step < 8; step++) {
      pairs.add(Pair.of(new Case(33, 4, 0.8, 1, MixupMode.ELEM, Fill.RAND), step));
    }
    try (Device device = TrainingKernels.open(Gpu.FIRST);
        Pass pass = pass(device);
        DevicePictures pictures = new DevicePictures(pass)) {
      int length = pairs.get(0).expected().length;
      try (DeviceBuffers memory = new DeviceBuffers(device)) {
        long kept = memory.of("kept", (long) length * pairs.size(), 4);
        for (int i = 0; i < pairs.size(); i++) {
          long pixels = pictures.pixels(pairs.get(i).batch());
          copy(pass, pixels, kept + 4L * length * i, length);
          pictures.stage(i + 1 < pairs.size() ? pairs.get(i + 1).batch() : null);
        }
        for (int i = 0; i < pairs.size(); i++) {
          assertThat(read(device, kept + 4L * length * i, length))
              .as("batch %d", i)
              .isEqualTo(bits(pairs.get(i).expected()));
        }
      }
    } finally {
      fake.fake_driver_early(0);
    }
    assertThat(fake.fake_driver_live()).as("what was not freed").isEqualTo(before);
  }

  /** By a kernel, in the order of launches. */
  private static void copy(Pass pass, long from, long to, int count) {
    RowGather.slice(pass, 4, from, to, 1, 0, 1, 1, count);
  }
}
