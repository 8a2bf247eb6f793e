/**
 * Tensors as typed little-endian memory, and the safetensors, PyTorch and NumPy files that hold
 * them.
 */
package org.ivit.core.tensor;
