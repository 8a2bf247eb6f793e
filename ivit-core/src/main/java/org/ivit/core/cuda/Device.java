package org.ivit.core.cuda;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What engine and training need of a GPU. Addresses are those of the device. May be used by several
 * threads at once.
 */
public interface Device extends AutoCloseable {
  /** Returns in a few words what it is. */
  String name();

  /** Returns the number of multiprocessors, which a launch should keep busy. */
  int multiprocessors();

  /** Returns whether large products are those of warpgroups. */
  boolean warpgroups();

  /** Returns whether the largest products are those of clusters, which copy by tensor maps. */
  boolean tensorMaps();

  /** Returns the most shared memory of a block, in bytes. */
  int sharedBytes();

  /**
   * Allocates memory.
   *
   * @param bytes at least 1
   * @return address, a multiple of 256
   * @throws DeviceMemoryException if there is not so much
   */
  long allocate(long bytes);

  /**
   * @param address of {@link #allocate}, not used any more
   */
  void free(long address);

  /**
   * Copies to the device and waits.
   *
   * @param to address
   * @param from direct; the bytes between position and limit
   */
  void write(long to, ByteBuffer from);

  /**
   * Waits for all that was launched, then copies to the host.
   *
   * @param to direct; the bytes between position and limit
   * @param from address
   */
  void read(ByteBuffer to, long from);

  /**
   * Encodes a matrix for the kernels of clusters.
   *
   * @return {@link BoxedMatrix#ENCODED_BYTES} bytes
   * @throws org.ivit.core.InputException if the driver does not take it
   */
  byte[] encode(BoxedMatrix matrix);

  /** Starts a kernel after all that were started so before it, and does not wait. */
  void launch(Launch launch);

  /**
   * Prepares launches that are run in this order, again and again. Their kernels begin by waiting
   * for the one in front ({@code await_previous_grid}): all but the first may be started before it
   * has ended.
   *
   * @param launches at least one
   * @return to be closed before the device
   */
  Replay record(List<Launch> launches);

  /**
   * Prepares launches as {@link #record(List)} does, between a copy to the device and one back.
   *
   * @param launches at least one
   * @param transfers what is copied
   * @return to be closed before the device
   * @throws DeviceMemoryException if there is no memory for the copies
   */
  Pass record(List<Launch> launches, Transfers transfers);

  /**
   * Makes a pair of buffers through which data goes to the device beside what is launched.
   *
   * @param bytes of each buffer, at least 1
   * @return to be closed before the device
   * @throws DeviceMemoryException if there is not so much memory
   */
  Staging stage(int bytes);

  @Override
  void close();

  /**
   * A page-locked buffer of the host and one of the device, which a copy joins that nothing waits
   * for but who says so. In turn: fill {@link #host}, {@link #send}, {@link #receive}, launch what
   * reads, {@link #release}. One thread at a time.
   */
  interface Staging extends AutoCloseable {
    /** Returns the bytes of each buffer. */
    int bytes();

    /** Returns the host's buffer, empty, after waiting until the last copy has read it. */
    ByteBuffer host();

    /**
     * Starts to copy, after all that was launched before {@link #release}, and does not wait. The
     * host's buffer is not to be written to before it is asked for again.
     *
     * @param count bytes from the buffer's beginning on
     */
    void send(int count);

    /**
     * Lets all that is launched from now on wait for the copy.
     *
     * @return address of the device's buffer
     */
    long receive();

    /** Says that nothing launched from now on reads the device's buffer. */
    void release();

    @Override
    void close();
  }

  /** Recorded launches; one thread at a time. */
  interface Replay extends AutoCloseable {
    /**
     * Runs the launches on what lies in the buffers, and waits: for measuring.
     *
     * @param times how often
     */
    void repeat(int times);

    @Override
    void close();
  }

  /** Recorded launches with the copies around them; one thread at a time. */
  interface Pass extends AutoCloseable {
    /**
     * Copies codes in, runs the launches, copies integers out, and waits.
     *
     * @param codes input
     * @param from first of them
     * @param results receives the integers
     * @param to first place
     */
    void run(byte[] codes, int from, int[] results, int to);

    @Override
    void close();
  }
}
