package org.ivit.djl.ndarray;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.BaseNDManager;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Makes arrays on the heap, whatever the device: the engine brings pictures to a GPU itself. What
 * an array cannot do is an {@link UnsupportedOperationException} that names it.
 */
public class IvitNDManager extends BaseNDManager {
  /** The name of the engine whose arrays these are. */
  public static final String ENGINE_NAME = "IVIT";

  private static final IvitNDManager SYSTEM = new SystemManager();

  private IvitNDManager(NDManager parent, Device device) {
    super(parent, device);
    // Where DJL's adapter looks for what an array does not do itself.
    alternativeManager = UnsupportedOperations.MANAGER;
  }

  /** The parent of all others, which is never closed and holds nothing. */
  public static IvitNDManager system() {
    return SYSTEM;
  }

  @Override
  public Engine getEngine() {
    return Engine.getEngine(ENGINE_NAME);
  }

  @Override
  public ByteBuffer allocateDirect(int capacity) {
    return ByteBuffer.allocateDirect(capacity).order(ByteOrder.nativeOrder());
  }

  @Override
  public IvitNDArray from(NDArray array) {
    if (array == null || array instanceof IvitNDArray) {
      return (IvitNDArray) array;
    }
    IvitNDArray copy = create(array.toByteBuffer(), array.getShape(), array.getDataType());
    copy.setName(array.getName());
    return copy;
  }

  /**
   * {@inheritDoc}
   *
   * @param data copied; a {@link ByteBuffer} holds elements in the machine's byte order
   */
  @Override
  public IvitNDArray create(Buffer data, Shape shape, DataType dataType) {
    int size = Math.toIntExact(shape.size());
    BaseNDManager.validateBuffer(data, dataType, size);
    ByteBuffer copy = IvitNDArray.allocate(size, dataType);
    if (data instanceof ByteBuffer) {
      copy.put((ByteBuffer) data.duplicate()).rewind();
    } else {
      BaseNDManager.copyBuffer(data.duplicate(), copy);
    }
    return new IvitNDArray(this, copy, shape, dataType);
  }

  @Override
  public IvitNDManager newSubManager(Device device) {
    IvitNDManager manager = new IvitNDManager(this, device);
    attachInternal(manager.uid, manager);
    return manager;
  }

  /** Keeps nothing: what lies on the heap is freed without it. */
  private static final class SystemManager extends IvitNDManager implements SystemNDManager {
    SystemManager() {
      super(null, null);
    }

    @Override
    public void attachInternal(String resourceId, AutoCloseable... resources) {}

    @Override
    public void detachInternal(String resourceId) {}
  }
}
