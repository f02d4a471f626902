export const shellWords = {
  name: 'Shoal',
  views: { chat: 'Chat', share: 'Share', network: 'Network', settings: 'Settings' },
  navigation: 'Views',
  skip: 'Skip to the content',
  loading: 'Loading…',
  /** The code of this view could not be fetched. */
  notLoaded: 'This part of the page could not be fetched. Check the connection, and try again.',
  again: 'Try again',
  broken: 'This part of the page has failed. What was written is kept.',
  reload: 'Reload the page',
  pageRelayInstead: 'The page’s own relay is used instead.',
};
