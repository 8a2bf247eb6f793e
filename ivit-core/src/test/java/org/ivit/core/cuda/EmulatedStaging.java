package org.ivit.core.cuda;

import java.nio.ByteBuffer;

/** A copy that arrives as late as it may; until then the device's buffer holds rubbish. */
final class EmulatedStaging implements Device.Staging {
  private static final byte RUBBISH = (byte) 0xa5;

  private final EmulatedDevice device;
  private final ByteBuffer host;
  private final long address;
  private int underWay;
  private boolean read;

  EmulatedStaging(EmulatedDevice device, int bytes) {
    this.device = device;
    address = device.allocate(bytes);
    host = ByteBuffer.allocateDirect(bytes);
  }

  @Override
  public int bytes() {
    return host.capacity();
  }

  @Override
  public ByteBuffer host() {
    arrive();
    return host.clear();
  }

  @Override
  public void send(int count) {
    if (read) {
      throw new AssertionError("a copy to a buffer that launches may still read");
    }
    arrive();
    ByteBuffer rubbish = ByteBuffer.allocateDirect(bytes());
    while (rubbish.hasRemaining()) {
      rubbish.put(RUBBISH);
    }
    device.write(address, rubbish.flip());
    underWay = count;
  }

  private void arrive() {
    if (underWay > 0) {
      device.write(address, host.duplicate().clear().limit(underWay));
      underWay = 0;
    }
  }

  @Override
  public long receive() {
    arrive();
    read = true;
    return address;
  }

  @Override
  public void release() {
    read = false;
  }

  @Override
  public void close() {
    device.free(address);
  }
}
