package org.ivit.train.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.ivit.core.cuda.Device;
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
    mixes = aligned(3L * pictures * batch.size() * batch.size());
    firsts = aligned(mixes + 32L * pictures);
    erasures = aligned(firsts + 4L * (pictures + 1));
    values = aligned(erasures + 24L * count);
    return aligned(values + 4L * numbers);
  }

  private static int aligned(long at) {
    return Math.toIntExact((at + ALIGNMENT - 1) & -ALIGNMENT);
  }

  private static void put(ByteBuffer host, Mix mix) {
    host.putFloat(mix.own()).putFloat(mix.rest()).putInt(mix.blends() ? 1 : 0);
    host.putInt(mix.top()).putInt(mix.bottom()).putInt(mix.left()).putInt(mix.right()).putInt(0);
  }

  private void putErasures(ByteBuffer host, List<TrainingPicture> pictures) {
    int count = 0;
    int number = 0;
    for (int i = 0; i < pictures.size(); i++) {
      host.putInt(firsts + 4 * i, count);
      for (Erasure erasure : pictures.get(i).erasures()) {
        host.position(erasures + 24 * count++);
        host.putInt(erasure.top()).putInt(erasure.left());
        host.putInt(erasure.height()).putInt(erasure.width());
        host.putInt(number).putInt(erasure.perPixel() ? 1 : 0);
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
