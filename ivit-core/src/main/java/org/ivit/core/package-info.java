/**
 * What every package of the project shares: the exception for input that cannot be used, and the
 * text of its message.
 */
package org.ivit.core;
