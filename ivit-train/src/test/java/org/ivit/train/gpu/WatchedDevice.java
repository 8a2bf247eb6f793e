package org.ivit.train.gpu;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/** A device that counts memory and kernels on the way to another. */
final class WatchedDevice implements InvocationHandler {
  private final Device watched;
  private final Map<Long, Long> allocations = new HashMap<>();
  private final Set<String> kernels = new TreeSet<>();
  private LaunchListener listener;
  private long held;
  private long most;

  /** Hears of launches. */
  interface LaunchListener {
    /** After a launch, which may still run. */
    void launched(Launch launch);
  }

  WatchedDevice(Device watched) {
    this.watched = watched;
  }

  /** What is to be used in place of the watched device. */
  Device device() {
    return (Device)
        Proxy.newProxyInstance(Device.class.getClassLoader(), new Class<?>[] {Device.class}, this);
  }

  /** Who hears of launches from now on; null for nobody. */
  void listener(LaunchListener hears) {
    listener = hears;
  }

  /** Most bytes that were allocated at one time. */
  synchronized long most() {
    return most;
  }

  /** The kernels that were launched. */
  synchronized Set<String> kernels() {
    return new TreeSet<>(kernels);
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    Object result;
    try {
      result = method.invoke(watched, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
    switch (method.getName()) {
      case "allocate" -> allocated((Long) result, (Long) arguments[0]);
      case "free" -> freed((Long) arguments[0]);
      case "launch" -> launched((Launch) arguments[0]);
      default -> {
        // Neither memory nor kernels.
      }
    }
    return result;
  }

  private synchronized void allocated(long address, long bytes) {
    allocations.put(address, bytes);
    held += bytes;
    most = Math.max(most, held);
  }

  private synchronized void freed(long address) {
    held -= allocations.remove(address);
  }

  private void launched(Launch launch) {
    synchronized (this) {
      kernels.add(launch.kernel());
    }
    if (listener != null) {
      listener.launched(launch);
    }
  }
}
