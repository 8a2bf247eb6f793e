/**
 * Integer models for a program that has pictures: open a checkpoint, ask for classes or features
 * ({@code docs/embedding.md}).
 */
package org.ivit.core.model;
