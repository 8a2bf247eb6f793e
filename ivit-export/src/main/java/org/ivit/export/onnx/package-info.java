/**
 * Models as ONNX files: in floating point, with quantizers for other runtimes to fuse, and in all
 * integers. Nothing here runs them.
 */
package org.ivit.export.onnx;
