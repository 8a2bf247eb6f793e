/** What every package of the project shares: the exception for input that cannot be used. */
package org.ivit.core;
