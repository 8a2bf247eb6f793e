package org.ivit.train.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Structure;
import org.ivit.train.augment.Erasure;
import org.ivit.train.augment.Mix;
import org.ivit.train.augment.PlannedPictures;
import org.ivit.train.augment.TrainingPicture;

/** One batch of bytes and plans in a staging buffer, which grows. */
final class StagedPictures implements AutoCloseable {
  private static final int ALIGNMENT = 16;

  /**
   * What is erased differs from batch to batch: a buffer has a quarter more than the first took.
   */
  private static final int RESERVE = 4;

  private final Device device;
  private Device.Staging staging;
  private PlannedPictures held;
  private int mixes;
  private int firsts;
  private int erasures;
  private int values;

  private static final class MixFields extends Structure {
    private final Field<Float> own = float32();
    private final Field<Float> rest = float32();
    private final Field<Integer> blends = int32();
    private final Field<Integer> top = int32();
    private final Field<Integer> bottom = int32();
    private final Field<Integer> left = int32();
    private final Field<Integer> right = int32();
    private final Field<Integer> unused = unused();
  }

  private static final class ErasureFields extends Structure {
    private final Field<Integer> top = int32();
    private final Field<Integer> left = int32();
    private final Field<Integer> height = int32();
    private final Field<Integer> width = int32();
    private final Field<Integer> values = int32();
    private final Field<Integer> perPixel = int32();
  }

  StagedPictures(Device device) {
    this.device = device;
  }

  boolean holds(PlannedPictures batch) {
    return held == batch;
  }

  /** Writes a batch to the host's buffer and starts to copy it. */
  void send(PlannedPictures batch) {
    int bytes = lay(batch);
    if (staging == null || staging.bytes() < bytes) {
      close();
      staging = device.stage(Math.addExact(bytes, bytes / RESERVE));
    }
    ByteBuffer host = staging.host().order(ByteOrder.nativeOrder());
    batch.pictures().forEach(picture -> host.put(picture.bytes().data()));
    host.position(mixes);
    batch.plan().mixes().forEach(mix -> put(host, mix));
    putErasures(host, batch.pictures());
    staging.send(bytes);
    held = batch;
  }

  /** Decides where arrays lie; returns how many bytes they take. */
  private int lay(PlannedPictures batch) {
    int pictures = batch.pictures().size();
    int count = 0;
    long numbers = 0;
    for (TrainingPicture picture : batch.pictures()) {
      for (Erasure erasure : picture.erasures()) {
        count++;
        numbers += erasure.values().length;
      }
    }
    mixes = aligned(3L * pictures * batch.size().area());
    firsts = aligned(mixes + 32L * pictures);
    erasures = aligned(firsts + 4L * (pictures + 1));
    values = aligned(erasures + 24L * count);
    return aligned(values + 4L * numbers);
  }

  private static int aligned(long at) {
    return Math.toIntExact((at + ALIGNMENT - 1) & -ALIGNMENT);
  }

  private static void put(ByteBuffer host, Mix mix) {
    MixFields a = new MixFields();
    a.own.set(mix.own());
    a.rest.set(mix.rest());
    a.blends.set(mix.blends() ? 1 : 0);
    a.top.set(mix.top());
    a.bottom.set(mix.bottom());
    a.left.set(mix.left());
    a.right.set(mix.right());
    host.put(a.bytes());
  }

  private void putErasures(ByteBuffer host, List<TrainingPicture> pictures) {
    int count = 0;
    int number = 0;
    for (int i = 0; i < pictures.size(); i++) {
      host.putInt(firsts + 4 * i, count);
      for (Erasure erasure : pictures.get(i).erasures()) {
        host.position(erasures + 24 * count++);
        ErasureFields a = new ErasureFields();
        a.top.set(erasure.top());
        a.left.set(erasure.left());
        a.height.set(erasure.height());
        a.width.set(erasure.width());
        a.values.set(number);
        a.perPixel.set(erasure.perPixel() ? 1 : 0);
        host.put(a.bytes());
        for (float value : erasure.values()) {
          host.putFloat(values + 4 * number++, value);
        }
      }
    }
    host.putInt(firsts + 4 * pictures.size(), count);
  }

  /** Lets launches wait for the copy, and says where its arrays are. */
  void receive(DevicePictures.PictureArguments a) {
    long address = staging.receive();
    a.bytes.set(address);
    a.mixes.set(address + mixes);
    a.first.set(address + firsts);
    a.erasures.set(address + erasures);
    a.values.set(address + values);
  }

  /** Says that nothing launched from now on reads the batch. */
  void release() {
    staging.release();
    held = null;
  }

  @Override
  public void close() {
    if (staging != null) {
      staging.close();
      staging = null;
    }
  }
}
