package org.ivit.train.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;

/**
 * The learned parameters that the host builds constants from in every step: all but matrices. They
 * come from the device in one copy.
 */
final class HostParameters implements AutoCloseable {
  private final DeviceBuffers memory;
  private final List<int[]> runs = new ArrayList<>();
  private final int count;
  private final long places;
  private final long packed;
  private final ByteBuffer host;
  private final float[] values;

  private static final class GatherWordsArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> places = address();
    private final Field<Long> to = address();
    private final Field<Long> count = int64();
  }

  /**
   * @param pass what parts share
   * @param layouts of the parts, in the order of their memory
   */
  HostParameters(Pass pass, List<ParameterLayout> layouts) {
    int at = 0;
    int total = 0;
    for (ParameterLayout layout : layouts) {
      for (ParameterLayout.Entry entry : layout.entries()) {
        ParameterKind kind = entry.kind();
        if (kind.learned() && !kind.decays()) {
          runs.add(new int[] {at + entry.from(), entry.size()});
          total += entry.size();
        }
      }
      at += layout.size();
    }
    count = total;
    memory = new DeviceBuffers(pass.device);
    places = memory.of("places", count, 4);
    packed = memory.of("packed", count, 4);
    host = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
    for (int[] run : runs) {
      for (int i = 0; i < run[1]; i++) {
        host.putInt(run[0] + i);
      }
    }
    pass.device.write(places, host.flip());
    host.clear();
    values = new float[count];
  }

  /** Brings the host's copy up to date. */
  void refresh(Pass pass, Reals weights) {
    GatherWordsArguments a = new GatherWordsArguments();
    a.from.set(pass.parameters);
    a.places.set(places);
    a.to.set(packed);
    a.count.set((long) count);
    pass.each("gather_words", count, 0, a);
    pass.device.read(host, packed);
    host.asFloatBuffer().get(values);
    int at = 0;
    for (int[] run : runs) {
      weights.put(run[0], values, at, run[1]);
      at += run[1];
    }
  }

  @Override
  public void close() {
    memory.close();
  }
}
