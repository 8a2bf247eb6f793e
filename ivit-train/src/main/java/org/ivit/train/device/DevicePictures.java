package org.ivit.train.device;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.train.augment.NormalisedPictures;
import org.ivit.train.augment.PictureBatch;
import org.ivit.train.augment.PlannedPictures;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.memory.Upload;
import org.ivit.train.device.pass.Pass;

/**
 * The pictures of micro-batches on the device. Bytes and plans go there through two staging buffers
 * in turn, so that those of the next batch are on their way while this one is computed, and a
 * kernel makes of them what {@link PlannedPictures#pixels} is, in every bit.
 */
final class DevicePictures implements AutoCloseable {
  private final Pass pass;
  private final DeviceBuffers memory;
  private final Upload normalised;
  private final StagedPictures[] stages;
  private int turn;

  /** What the kernel {@code prepare_pictures} takes. */
  static final class PictureArguments extends Structure {
    final Field<Long> bytes = address();
    final Field<Long> mixes = address();
    final Field<Long> first = address();
    final Field<Long> erasures = address();
    final Field<Long> values = address();
    final Field<Long> pixels = address();
    final Field<Divisor> ofArea = divisor();
    final Field<Divisor> ofWidth = divisor();
    final Field<float[]> mean = float32s(3);
    final Field<float[]> deviation = float32s(3);
    final Field<Integer> height = int32();
    final Field<Integer> width = int32();
    final Field<Integer> pictures = int32();
    final Field<Integer> unused = unused();
  }

  DevicePictures(Pass pass) {
    this.pass = pass;
    memory = new DeviceBuffers(pass.device);
    normalised = new Upload(pass.device);
    stages =
        new StagedPictures[] {new StagedPictures(pass.device), new StagedPictures(pass.device)};
  }

  /**
   * Starts to bring a batch to the device, and does not wait. At most one batch is ahead of those
   * whose pixels were asked for.
   *
   * @param batch null for none; one that is normalised is not brought ahead
   */
  void stage(PictureBatch batch) {
    if (batch instanceof PlannedPictures planned) {
      stages[turn].send(planned);
      turn = 1 - turn;
    }
  }

  /**
   * Brings a batch to the device where {@link #stage} has not.
   *
   * @return address of float32 [pictures][3][height][width], until the next call
   */
  long pixels(PictureBatch batch) {
    if (batch instanceof PlannedPictures planned) {
      return prepared(planned);
    }
    normalised.begin();
    int at = normalised.floats(((NormalisedPictures) batch).pixels());
    normalised.send();
    return normalised.at(at);
  }

  private long prepared(PlannedPictures batch) {
    StagedPictures last = stages[1 - turn];
    if (!last.holds(batch)) {
      stage(batch);
      last = stages[1 - turn];
    }
    long count = (long) batch.pictures().size() * batch.size().area();
    long pixels = memory.of("pixels", 3 * count, 4);
    PictureArguments a = new PictureArguments();
    last.receive(a);
    a.pixels.set(pixels);
    a.ofArea.set(Divisor.of(batch.size().area()));
    a.ofWidth.set(Divisor.of(batch.size().width()));
    a.mean.set(batch.normalisation().mean());
    a.deviation.set(batch.normalisation().std());
    a.height.set(batch.size().height());
    a.width.set(batch.size().width());
    a.pictures.set(batch.pictures().size());
    pass.each("prepare_pictures", count, 0, a);
    last.release();
    return pixels;
  }

  @Override
  public void close() {
    for (StagedPictures stage : stages) {
      stage.close();
    }
    normalised.close();
    memory.close();
  }
}
