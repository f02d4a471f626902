import { Component, type ReactNode } from 'react';

interface Props {
  /** Said when the code did not arrive, or fails. */
  failed: string;
  onFailed: () => void;
  children: ReactNode;
}

/** Keeps what is fetched on demand from taking the answer above it along. */
export class Fetched extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch() {
    this.props.onFailed();
  }

  override render() {
    const { failed, children } = this.props;
    return this.state.failed ? (
      <p className="hint" role="alert">
        {failed}
      </p>
    ) : (
      children
    );
  }
}
